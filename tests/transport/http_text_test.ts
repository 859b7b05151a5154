import assert from "node:assert/strict";
import { FetchError, type FetchProblem, fetchText } from "../../lib/transport/http_text.ts";
import { PageServer } from "../helpers/page_server.ts";
import { eventually } from "../helpers/eventually.ts";

interface Asking {
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

function get(url: string, asking: Asking = {}): Promise<string> {
  const { timeoutMs = 2_000, maxBytes = 1_000_000, signal = new AbortController().signal } = asking;
  return fetchText(url, { timeoutMs, maxBytes, signal });
}

/** Why a text was not had: its label, and the exact cause. */
async function problemOf(url: string, asking?: Asking): Promise<[FetchProblem, string]> {
  try {
    await get(url, asking);
  } catch (error) {
    assert.ok(error instanceof FetchError, String(error));
    return [error.problem, error.message];
  }
  throw new Error("a text was had");
}

/** A loopback address of this test's own: its ports are nobody else's. */
function ownAddress(): string {
  const [b, c, d] = crypto.getRandomValues(new Uint8Array(3));
  return `127.${b}.${c}.${Math.min(254, d! + 1)}`;
}

/** Says these bytes to whoever connects and speaks first, then ends the connection. */
function peer(bytes: Uint8Array | string | undefined): Disposable & { readonly port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  void (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(4_096)).catch(() => {});
      const said = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
      if (said) await connection.write(said).catch(() => {});
      connection.close();
    }
  })();
  return { port: listener.addr.port, [Symbol.dispose]: () => listener.close() };
}

/** A port of the loopback where nobody listens. */
function closedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

const folder = new URL("../testdata/tls/", import.meta.url);

/** By what listens: a scheme, what a TLS peer or a plain one says, and the cause. */
const FAR_ENDS: readonly [
  what: string,
  scheme: "http" | "https",
  says: Uint8Array | string | undefined,
  cause: string,
][] = [
  [
    "answers TLS with plain text",
    "https",
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    "TLS error: received corrupt message of type InvalidContentType",
  ],
  [
    "refuses the TLS handshake",
    "https",
    Uint8Array.of(0x15, 3, 3, 0, 2, 2, 40),
    "TLS error: received fatal alert: HandshakeFailure",
  ],
  ["ends in the TLS handshake", "https", undefined, "TLS error: tls handshake eof"],
  ["ends before it answers", "http", undefined, "connection closed before message completed"],
  ["speaks no HTTP", "http", "hello\r\n\r\n", "invalid HTTP version parsed"],
  [
    "ends in the middle of the page",
    "http",
    "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nup 1",
    "error reading a body from connection",
  ],
];

for (const [what, scheme, says, cause] of FAR_ENDS) {
  Deno.test(`a page whose server ${what} cannot be read: ${cause}`, async () => {
    using far = peer(says);
    assert.deepEqual(await problemOf(`${scheme}://127.0.0.1:${far.port}/metrics`), ["unreachable", cause]);
  });
}

Deno.test("a page whose certificate nobody known has signed cannot be read, and the TLS layer's reason is said", async () => {
  const [cert, key] = ["server.pem", "server.key"].map((name) =>
    Deno.readTextFileSync(new URL(name, folder))
  );
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert: cert!, key: key!, onListen: () => {} },
    () => new Response("up 1"),
  );
  assert.deepEqual(await problemOf(`https://127.0.0.1:${server.addr.port}/`), [
    "unreachable",
    "TLS error: invalid peer certificate: UnknownIssuer",
  ]);
});

for (const scheme of ["http", "https"]) {
  Deno.test(`a page on a closed port is refused, asked over ${scheme}`, async () => {
    for (const host of ["127.0.0.1", "localhost"]) {
      const problem = await problemOf(`${scheme}://${host}:${closedPort()}/metrics`);
      assert.deepEqual(problem, ["unreachable", "connection refused"]);
    }
  });
  Deno.test(`a page on a host that does not exist is not found, by its name, asked over ${scheme}`, async () => {
    for (const host of ["no-such-host.invalid", "xn--80ak6aa92e.invalid"]) {
      const problem = await problemOf(`${scheme}://${host}:9000/metrics?secret=1`);
      assert.deepEqual(problem, ["unreachable", `name not found: ${host}`]);
    }
  });
}

const LONG = `http://node-2/${"x".repeat(400)}`;

/** By the status and the location; `{origin}` is the server's. */
const REDIRECTS: readonly [status: number, location: string, cause: string][] = [
  [307, "/metrics/", "answers 307, to {origin}/metrics/"],
  [301, "else", "answers 301, to {origin}/deep/else"],
  [308, "//node-2:8081/metrics", "answers 308, to http://node-2:8081/metrics"],
  [302, "https://me:secret@node-2/login?token=secret#secret", "answers 302, to https://node-2/login"],
  [303, "?page=2", "answers 303, to {origin}/deep/metrics"],
  [307, LONG, `answers 307, to ${LONG.slice(0, 200)}`],
  [307, "http://[bad/", "answers 307"],
  [307, "mailto:me@example.org", "answers 307"],
  [404, "/metrics/", "answers 404"],
];

for (const [status, location, cause] of REDIRECTS) {
  Deno.test(`a page that answers ${status} with the location ${location.slice(0, 60)}: ${cause.slice(0, 80)}`, async () => {
    await using server = new PageServer(() => new Response(null, { status, headers: { location } }));
    const problem = await problemOf(`${server.origin}/deep/metrics?query=1`);
    assert.deepEqual(problem, ["status", cause.replace("{origin}", server.origin)]);
  });
}

// Ports that browsers block (https://fetch.spec.whatwg.org/#port-blocking), from the lowest that needs no right to the highest.
for (const port of [1_719, 2_049, 4_045, 4_190, 5_060, 6_000, 6_667, 6_697, 10_080]) {
  Deno.test(`a page on port ${port}, which browsers block, is read, and its causes are exact`, async () => {
    const hostname = ownAddress();
    const url = `http://${hostname}:${port}/metrics?a=1`;
    assert.deepEqual(await problemOf(url), ["unreachable", "connection refused"]);
    const asked: string[] = [];
    let answer = () => new Response("up 1\n");
    await using _ = Deno.serve({ hostname, port, onListen: () => {} }, (request) => {
      asked.push(`${request.headers.get("host")} ${request.headers.get("accept")}`);
      return answer();
    });
    assert.equal(await get(url), "up 1\n");
    assert.deepEqual(asked, [`${hostname}:${port} text/plain`]);
    answer = () => new Response(null, { status: 307, headers: { location: "/metrics/" } });
    const to = `http://${hostname}:${port}/metrics/`;
    assert.deepEqual(await problemOf(url), ["status", `answers 307, to ${to}`]);
    answer = () => new Response("x".repeat(1_000));
    const problem = await problemOf(url, { maxBytes: 999 });
    assert.deepEqual(problem, ["too_large", "has more than 999 bytes"]);
  });
}

Deno.test("a page on a blocked port of an IPv6 address is connected to", async () => {
  const [, cause] = await problemOf("http://[::1]:6697/metrics");
  assert.match(cause, /^connection refused$|address/); // Or the machine has no IPv6.
});

Deno.test("on a blocked port a name that is not found is said, and that https is not asked", async () => {
  const name = await problemOf("http://no-such-host.invalid:6000/metrics");
  assert.deepEqual(name, ["unreachable", "name not found: no-such-host.invalid"]);
  const tls = await problemOf("https://127.0.0.1:6000/metrics");
  const cause = "port 6000, which browsers block, cannot be asked over https";
  assert.deepEqual(tls, ["unreachable", cause]);
});

for (const port of [0, 6_000]) {
  const where = port === 0 ? "any port" : `port ${port}, which browsers block,`;

  Deno.test(`on ${where} a page that hangs is late, whether before or in its text, and its connection ends`, async () => {
    for (const start of ["", "HTTP/1.1 200 OK\r\n\r\nup 1\n"]) {
      await using hanging = new Hanging(ownAddress(), port, start);
      const problem = await problemOf(hanging.url, { timeoutMs: 50 });
      assert.deepEqual(problem, ["timeout", "timeout: no whole answer within 50 ms"]);
      await eventually(() => assert.deepEqual([hanging.opened, hanging.open], [1, 0]));
    }
  });

  Deno.test(`on ${where} an abort ends the question and its connection at once`, async () => {
    await using hanging = new Hanging(ownAddress(), port, "HTTP/1.1 200 OK\r\n\r\nup 1\n");
    const abort = new AbortController();
    const asking = problemOf(hanging.url, { timeoutMs: 60_000, signal: abort.signal });
    await eventually(() => assert.equal(hanging.open, 1));
    abort.abort();
    assert.equal((await asking)[0], "unreachable");
    await eventually(() => assert.equal(hanging.open, 0));
  });

  Deno.test(`on ${where} connections do not pile up, and a compressed page is read and measured as its text`, async () => {
    const hostname = ownAddress();
    const text = "up 1\n".repeat(10_000);
    const gzipped = await new Response(
      new Blob([text]).stream().pipeThrough(new CompressionStream("gzip")),
    ).bytes();
    const ports = new Set<number>();
    await using server = Deno.serve({ hostname, port, onListen: () => {} }, (request, { remoteAddr }) => {
      assert.match(request.headers.get("accept-encoding") ?? "", /gzip/);
      ports.add(remoteAddr.port);
      return new Response(gzipped, { headers: { "content-encoding": "gzip" } });
    });
    const url = `http://${hostname}:${server.addr.port}/metrics`;
    for (let n = 0; n < 20; n++) assert.equal(await get(url), text);
    if (port === 0) assert.equal(ports.size, 1);
    const problem = await problemOf(url, { maxBytes: text.length - 1 });
    assert.deepEqual(problem, ["too_large", `has more than ${text.length - 1} bytes`]);
  });
}

/** A server that says `start` to each who connects, and no more; it counts who is still connected. */
class Hanging implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #connections = new Set<Promise<void>>();
  opened = 0;
  open = 0;

  constructor(hostname: string, port: number, start: string) {
    const listener = Deno.listen({ hostname, port });
    this.#listener = listener;
    void (async () => {
      for await (const connection of listener) this.#connections.add(this.#hang(connection, start));
    })();
  }

  get url(): string {
    const { hostname, port } = this.#listener.addr;
    return `http://${hostname}:${port}/metrics`;
  }

  async #hang(connection: Deno.Conn, start: string): Promise<void> {
    using _ = connection;
    this.opened++;
    this.open++;
    const buffer = new Uint8Array(4_096);
    await connection.read(buffer).catch(() => null);
    await connection.write(new TextEncoder().encode(start)).catch(() => {});
    while (await connection.read(buffer).catch(() => null) !== null);
    this.open--;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await Promise.all(this.#connections);
  }
}
