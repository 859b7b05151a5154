import assert from "node:assert/strict";
import { NatsLink } from "../../lib/transport/nats.ts";
import { ownProgram } from "../../tools/program.ts";
import { type NatsServer, startNats } from "../../tools/servers/nats.ts";
import { ca, certFile, keyFile, tlsConfig } from "../helpers/certificates.ts";
import { eventually } from "../helpers/eventually.ts";
import { logLines } from "../helpers/log_lines.ts";

const SECRET = "never-in-clear";

/** Waits until a mock worker says this of the server. */
async function logs(
  pattern: RegExp,
  server: string,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  await using program = ownProgram("mock_worker.ts", {
    args: ["--no-etcd"],
    env: { NATS_SERVER: server, ...env },
  });
  const timer = setTimeout(() => program.stop(), 30_000);
  await program.logged(pattern);
  clearTimeout(timer);
}

/** A server's certificate, whom the client trusts, what it calls the server, and what comes of it. */
const CERTIFICATES: readonly [
  certificate: Parameters<typeof certFile>[0],
  authority: string | undefined,
  host: string,
  said: RegExp,
][] = [
  ["address", ca, "127.0.0.1", /Connected to NATS/],
  [
    "address",
    ca,
    "localhost",
    /cause="the server's certificate is not for localhost, but for 127\.0\.0\.1"\n/,
  ],
  ["name", ca, "localhost", /Connected to NATS/],
  ["name", ca, "127.0.0.1", /cause="the server's certificate is not for 127\.0\.0\.1, but for localhost"\n/],
  ["expired", ca, "127.0.0.1", /cause="the server's certificate has expired \(2020-02-01T00:00:00Z\)"\n/],
  [
    "address",
    undefined,
    "127.0.0.1",
    /cause="the server's certificate is of an unknown authority .*DENO_CERT/,
  ],
];

for (const [certificate, authority, host, said] of CERTIFICATES) {
  const trust = authority === undefined ? "an unknown authority" : "a known authority";
  Deno.test(`a certificate for ${certificate} of ${trust}, at tls://${host}, comes to ${said}`, async () => {
    await using nats = await startNats({ config: tlsConfig(certificate) });
    const env = authority === undefined ? {} : { DENO_CERT: authority };
    await logs(said, `tls://${host}:${nats.port}`, env);
  });
}

Deno.test("at tls:// nothing is said in clear to a server that offers no TLS, and the log says why", async () => {
  const lines = logLines();
  await using nats = await startNats();
  const heard: string[] = [];
  using wire = tapped(nats, heard);
  await using link = new NatsLink({
    servers: [`tls://127.0.0.1:${wire.port}`],
    name: "test",
    auth: { kind: "password", username: "u", password: SECRET },
    signal: new AbortController().signal,
  });
  await eventually(() => assert.ok(wire.connections >= 3));
  assert.equal(link.connected, false);
  assert.deepEqual(heard, []);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /WARN .*Cannot reach NATS.* cause="the server offers no TLS, as tls:\/\/ asks"\n$/);
});

Deno.test("at nats:// a server without TLS is connected to, and one with TLS by TLS", async () => {
  await using plain = await startNats();
  await using encrypted = await startNats({ config: tlsConfig("address") });
  for (const { port } of [plain, encrypted]) {
    await logs(/Connected to NATS/, `nats://127.0.0.1:${port}`, { DENO_CERT: ca });
  }
});

/** A server that begins with TLS, as `handshake_first` has it and as a proxy that ends TLS does. */
function tlsFirst(nats: NatsServer, certificate: Parameters<typeof certFile>[0]): Deno.TlsListener {
  const [cert, key] = [certFile(certificate), keyFile].map((file) => Deno.readTextFileSync(file));
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: cert!, key: key! });
  void (async () => {
    for await (const near of listener) {
      const far = await Deno.connect({ hostname: "127.0.0.1", port: nats.port });
      near.readable.pipeTo(far.writable).catch(() => {});
      far.readable.pipeTo(near.writable).catch(() => {});
    }
  })();
  return listener;
}

for (const scheme of ["tls", "nats"]) {
  Deno.test(`a server that begins with TLS is connected to at ${scheme}://`, async () => {
    await using nats = await startNats();
    using listener = tlsFirst(nats, "address");
    await logs(/Connected to NATS/, `${scheme}://127.0.0.1:${listener.addr.port}`, { DENO_CERT: ca });
  });
}

Deno.test("what is wrong with the certificate of a server that begins with TLS is the cause", async () => {
  await using nats = await startNats();
  using listener = tlsFirst(nats, "expired");
  const expired = /cause="the server's certificate has expired/;
  await logs(expired, `tls://127.0.0.1:${listener.addr.port}`, { DENO_CERT: ca });
});

/** What stands at an address where no NATS is, and the cause that the log gives. */
const STRANGERS: readonly [what: string, says: string | undefined, cause: string][] = [
  ["speaks HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "the other end does not speak NATS"],
  ["greets in no JSON", "INFO hello\r\n", "the greeting of the server cannot be read"],
  ["greets with nothing", "INFO null\r\n", "the greeting of the server cannot be read"],
  ["names no version", 'INFO {"version":7}\r\n', "the greeting of the server names no version"],
  ["greets without end", `INFO ${"x".repeat(2_000_000)}`, "the greeting of the server has no end"],
  ["says nothing", undefined, "no greeting of NATS came in time"],
  ["ends at once", "", "the server ended the connection without a greeting"],
];

for (const [what, says, cause] of STRANGERS) {
  Deno.test(`of a server that ${what} the log gives the cause "${cause}"`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    void (async () => {
      for await (const connection of listener) {
        if (says) await connection.write(new TextEncoder().encode(says)).catch(() => {});
        if (says === "") connection.close();
      }
    })();
    await logs(
      new RegExp(`Cannot reach NATS.* cause="${cause}"\n`),
      `nats://127.0.0.1:${listener.addr.port}`,
    );
  });
}

Deno.test("a name that is not there and a port where nobody listens are causes of their own", async () => {
  await logs(/cause="name not found: nowhere\.invalid"\n/, "nats://nowhere.invalid:4222");
  await logs(/cause="connection refused"\n/, "nats://127.0.0.1:1");
});

/** A way to the server on which what the client says is put into `heard`. */
function tapped(
  nats: NatsServer,
  heard: string[],
): Disposable & { readonly port: number; connections: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const tap = { port: listener.addr.port, connections: 0, [Symbol.dispose]: () => listener.close() };
  void (async () => {
    for await (const near of listener) {
      tap.connections++;
      const far = await Deno.connect({ hostname: "127.0.0.1", port: nats.port });
      const listen = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform(bytes, out) {
          heard.push(new TextDecoder().decode(bytes));
          out.enqueue(bytes);
        },
      });
      near.readable.pipeThrough(listen).pipeTo(far.writable).catch(() => {});
      far.readable.pipeTo(near.writable).catch(() => {});
    }
  })();
  return tap;
}
