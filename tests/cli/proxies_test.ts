import assert from "node:assert/strict";
import { proxyOf } from "../../lib/cli/proxies.ts";
import { UsageError } from "../../lib/cli/usage.ts";

type Env = Readonly<Record<string, string>>;

const CASES: readonly [url: string, env: Env, proxy: string | undefined][] = [
  ["http://gw:9091", {}, undefined],
  ["http://gw:9091", { HTTP_PROXY: "http://p:3128" }, "http://p:3128"],
  ["http://gw:9091", { http_proxy: "p:3128" }, "http://p:3128"],
  ["http://gw:9091", { http_proxy: "http://small:1", HTTP_PROXY: "http://large:1" }, "http://small:1"],
  ["http://gw:9091", { HTTPS_PROXY: "http://p:3128" }, undefined],
  ["https://gw", { HTTPS_PROXY: "http://p:3128" }, "http://p:3128"],
  ["https://gw", { ALL_PROXY: "socks5://p:1080" }, "socks5://p:1080"],
  ["http://gw:9091", { HTTP_PROXY: " " }, undefined],
  ["http://gw:9091", { HTTP_PROXY: "p:1", NO_PROXY: "*" }, undefined],
  ["http://gw:9091", { HTTP_PROXY: "p:1", NO_PROXY: "other, gw" }, undefined],
  ["http://gw.svc:9091", { HTTP_PROXY: "p:1", NO_PROXY: ".svc" }, undefined],
  ["http://gw.svc:9091", { HTTP_PROXY: "p:1", NO_PROXY: "*.svc" }, undefined],
  ["http://gw.svc:9091", { HTTP_PROXY: "p:1", NO_PROXY: "SVC" }, undefined],
  ["http://gwsvc:9091", { HTTP_PROXY: "p:1", NO_PROXY: "svc" }, "http://p:1"],
  ["http://gw:9091", { HTTP_PROXY: "p:1", NO_PROXY: "gw:9091" }, undefined],
  ["http://gw:9092", { HTTP_PROXY: "p:1", NO_PROXY: "gw:9091" }, "http://p:1"],
  ["http://10.1.2.3:9091", { HTTP_PROXY: "p:1", no_proxy: "10.0.0.0/8" }, undefined],
  ["http://11.1.2.3:9091", { HTTP_PROXY: "p:1", no_proxy: "10.0.0.0/8" }, "http://p:1"],
  ["http://10.1.2.3:9091", { HTTP_PROXY: "p:1", no_proxy: "10.1.2.3" }, undefined],
  ["http://10.1.2.3:9091", { HTTP_PROXY: "p:1", no_proxy: "2.3" }, "http://p:1"],
  ["http://[fd00::1]:9091", { HTTP_PROXY: "p:1", no_proxy: "fd00::/8" }, undefined],
  ["http://[fd00::1]:9091", { HTTP_PROXY: "p:1", no_proxy: "[fd00::1]" }, undefined],
  ["http://gw:9091", { HTTP_PROXY: "p:1", no_proxy: "10.0.0.0/99,, /8" }, "http://p:1"],
];

for (const [url, env, proxy] of CASES) {
  Deno.test(`a push to ${url} with ${JSON.stringify(env)} goes ${proxy ? `through ${proxy}` : "straight"}`, () => {
    assert.equal(proxyOf(new URL(url), env)?.url, proxy);
  });
}

Deno.test("a proxy's user and password are taken out of its address", () => {
  assert.deepEqual(proxyOf(new URL("http://gw"), { HTTP_PROXY: "http://me:a%2Fb%@p:3128/" }), {
    url: "http://p:3128",
    login: { username: "me", password: "a%2Fb%" },
  });
  assert.deepEqual(proxyOf(new URL("http://gw"), { HTTP_PROXY: "me:a%40b@p:3128" })?.login, {
    username: "me",
    password: "a@b",
  });
});

Deno.test("a variable that names no proxy is refused without its value", () => {
  for (const text of ["ftp://me:hunter2@p", "http://", "http://me:hunter2@p:port"]) {
    const refused = () => proxyOf(new URL("http://gw"), { HTTP_PROXY: text });
    assert.throws(
      refused,
      new UsageError("HTTP_PROXY: must be http://HOST:PORT, with https and socks5 allowed too"),
    );
  }
});
