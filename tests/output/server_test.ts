import assert from "node:assert/strict";
import type { Page } from "../../lib/exposition/pages.ts";
import { type Health, liveness, readiness } from "../../lib/output/health_routes.ts";
import { landing } from "../../lib/output/landing.ts";
import { metricsRoute } from "../../lib/output/metrics_route.ts";
import { startServer } from "../../lib/output/server.ts";
import { lentForEver } from "../helpers/lent.ts";
import { logLines } from "../helpers/log_lines.ts";
import { BindError } from "../../lib/transport/bind_error.ts";

const body = { seq: 1, parts: [new TextEncoder().encode("page 1\n")] };

function start(health: Partial<Health> = {}, page: () => Promise<Page> = () => Promise.resolve(body)) {
  const shown = () => ({ alive: true, ready: true, reasons: [], notes: [], ...health });
  return startServer({
    host: "127.0.0.1",
    port: 0,
    routes: new Map([
      ["/", landing("dynamo/<c>/e", "1.0.0")],
      ["/metrics", metricsRoute({ lend: async () => lentForEver(await page()), gzip: false })],
      ["/livez", liveness(shown)],
      ["/readyz", readiness(shown)],
    ]),
    drainMs: 200,
  });
}

interface Row {
  readonly method?: string;
  readonly path: string;
  readonly health?: Partial<Health>;
  readonly status: number;
  readonly text: string;
  readonly headers?: Record<string, string>;
}

const rows: readonly Row[] = [
  {
    path: "/metrics?x=1",
    status: 200,
    text: "page 1\n",
    headers: {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
      "content-length": "7",
      "snapshot-seq": "1",
    },
  },
  {
    method: "HEAD",
    path: "/metrics",
    status: 200,
    text: "",
    headers: { "content-length": "7", "snapshot-seq": "1" },
  },
  {
    method: "HEAD",
    path: "/",
    status: 200,
    text: "",
    headers: { "content-type": "text/html; charset=utf-8" },
  },
  { method: "HEAD", path: "/nope", status: 404, text: "" },
  { path: "/nope", status: 404, text: "not found; see /metrics\n" },
  { path: "/metrics/", status: 404, text: "not found; see /metrics\n" },
  {
    method: "POST",
    path: "/metrics",
    status: 405,
    text: "method not allowed; GET or HEAD\n",
    headers: { allow: "GET, HEAD" },
  },
  { path: "/livez", status: 200, text: "ok\n" },
  { path: "/livez", health: { alive: false }, status: 503, text: "the poll loop does not turn\n" },
  { path: "/readyz", status: 200, text: '{"status":"ok","reasons":[]}' },
  {
    path: "/readyz",
    health: { reasons: ["etcd is not connected"] },
    status: 200,
    text: '{"status":"degraded","reasons":["etcd is not connected"]}',
  },
  {
    path: "/readyz?strict",
    health: { reasons: ["etcd is not connected"] },
    status: 503,
    text: '{"status":"degraded","reasons":["etcd is not connected"]}',
  },
  {
    path: "/readyz?strict",
    health: { notes: ["nobody"] },
    status: 200,
    text: '{"status":"ok","reasons":[],"notes":["nobody"]}',
  },
  { path: "/readyz", health: { ready: false }, status: 503, text: '{"status":"ok","reasons":[]}' },
];

for (const { method = "GET", path, health, status, text, headers = {} } of rows) {
  Deno.test(`${method} ${path} with ${JSON.stringify(health ?? {})} answers ${status} ${text.trim()}`, async () => {
    await using server = start(health);
    const response = await fetch(`http://${server.address}${path}`, { method });
    assert.equal(response.status, status);
    for (const [name, value] of Object.entries(headers)) assert.equal(response.headers.get(name), value);
    assert.equal(await response.text(), text);
  });
}

Deno.test("a page that cannot be made is an answer 500, and the server lives on", async () => {
  let fails = true;
  await using server = start({}, () => fails ? Promise.reject(new Error("no")) : Promise.resolve(body));
  const url = `http://${server.address}/metrics`;
  const failed = await fetch(url);
  assert.deepEqual([failed.status, await failed.text()], [500, "internal error\n"]);
  fails = false;
  assert.equal(await (await fetch(url)).text(), "page 1\n");
});

Deno.test("an address in use is one line that names it", async () => {
  await using server = start();
  const port = Number(server.address.split(":").at(-1));
  assert.throws(() => startServer({ host: "127.0.0.1", port, routes: new Map() }), (error) => {
    assert.ok(error instanceof BindError);
    assert.match(error.message, new RegExp(`^Failed to bind to address 127.0.0.1:${port}: [^\\n]+$`));
    return true;
  });
});

Deno.test("a reader that does not read does not keep the server from ending", async () => {
  const large = new Uint8Array(20_000_000).fill(65);
  const server = start({}, () => Promise.resolve({ seq: 1, parts: [large] }));
  const [hostname = "", port] = server.address.split(":");
  const reader = await Deno.connect({ hostname, port: Number(port) });
  await reader.write(new TextEncoder().encode("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
  await reader.read(new Uint8Array(16));
  await server[Symbol.asyncDispose](); // Ends by itself, or the test never does.
  await assert.rejects(Deno.connect({ hostname, port: Number(port) }), Deno.errors.ConnectionRefused);
  reader.close();
});

Deno.test("a Host header that is none is a bad request, and no line in the log", async () => {
  const lines = logLines();
  await using server = start();
  const [hostname, port] = server.address.split(":");
  for (const host of ["[bad", "a b c", "x:99999"]) {
    using connection = await Deno.connect({ hostname: hostname!, port: Number(port) });
    const request = `GET /metrics HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    const answer = await new Response(connection.readable).text();
    assert.match(answer, /^HTTP\/1\.1 400 /);
  }
  assert.deepEqual(lines, []);
});

Deno.test("an error that comes again is said once", async () => {
  const lines = logLines();
  await using server = start({}, () => Promise.reject(new Error("no page")));
  for (let n = 0; n < 3; n++) await (await fetch(`http://${server.address}/metrics`)).body?.cancel();
  assert.equal(lines.length, 1);
});

Deno.test("the landing page names the target as text", async () => {
  await using server = start();
  const text = await (await fetch(`http://${server.address}/`)).text();
  assert.match(text, /<code>dynamo\/&#60;c&#62;\/e<\/code>/);
});
