import assert from "node:assert/strict";
import { get, type IncomingHttpHeaders } from "node:http";
import { gunzipSync } from "node:zlib";
import { lengthOf } from "../../lib/bytes.ts";
import type { Pause } from "../../lib/exposition/gzip.ts";
import { OPENMETRICS } from "../../lib/exposition/openmetrics.ts";
import { type Page, Pages } from "../../lib/exposition/pages.ts";
import { metricsRoute, type MetricsRouteOptions } from "../../lib/output/metrics_route.ts";
import { startServer } from "../../lib/output/server.ts";
import { giveWay } from "../../lib/timing.ts";
import { eventually } from "../helpers/eventually.ts";
import { lentForEver } from "../helpers/lent.ts";
import { largeSnapshot } from "../helpers/large_fleet.ts";
import { renderText } from "../helpers/render_text.ts";

/** A server of real pages, of the Snapshot with `seq` at the time. */
function start(
  { workers, gzip = true, pause = giveWay }: {
    readonly workers: number;
    readonly gzip?: boolean;
    readonly pause?: Pause;
  },
) {
  const state = { seq: 1, rendered: 0, lent: new Set<Page>() };
  const pages = new Pages({
    snapshot: () => largeSnapshot(state.seq, { workers }),
    counted: () => {
      state.rendered++;
      return Promise.resolve([]);
    },
    workerLabels: "full",
    pause,
  });
  const lend: MetricsRouteOptions["lend"] = async (format, encoding) => {
    const loan = await pages.lend(format, encoding);
    state.lent.add(loan.page);
    return loan;
  };
  const server = startServer({
    host: "127.0.0.1",
    port: 0,
    routes: new Map([
      ["/metrics", metricsRoute({ lend, gzip })],
    ]),
    drainMs: 100,
  });
  return { server, state };
}

/** The body as it is sent: `fetch` would undo the encoding. */
function fetchRaw(
  address: string,
  headers: Record<string, string>,
): Promise<{ readonly headers: IncomingHttpHeaders; readonly body: Uint8Array }> {
  return new Promise((resolve, reject) => {
    get(`http://${address}/metrics`, { headers, agent: false }, (response) => {
      const parts: Uint8Array[] = [];
      response.on("data", (part) => parts.push(part));
      response.on(
        "end",
        async () => resolve({ headers: response.headers, body: await new Blob(parts as BlobPart[]).bytes() }),
      );
      response.on("error", reject);
    }).on("error", reject);
  });
}

const page = renderText(largeSnapshot(1, { workers: 20 }), []);

Deno.test("a reader that takes gzip gets the same page compressed, told so by the headers", async () => {
  const { server } = start({ workers: 20 });
  await using _ = server;
  const { headers, body } = await fetchRaw(server.address, { "accept-encoding": "gzip" });
  assert.equal(headers["content-encoding"], "gzip");
  assert.equal(headers["content-length"], String(body.length));
  assert.equal(headers["vary"], "Accept, Accept-Encoding");
  assert.ok(body.length < page.length / 5);
  assert.equal(gunzipSync(body).toString(), page);
});

for (
  const [what, gzip, acceptEncoding] of [
    ["a reader that takes no gzip", true, "br"],
    ["with --no-gzip every reader", false, "gzip"],
  ] as const
) {
  Deno.test(`${what} gets the page as it is`, async () => {
    const { server } = start({ workers: 20, gzip });
    await using _ = server;
    const { headers, body } = await fetchRaw(server.address, { "accept-encoding": acceptEncoding });
    assert.equal(headers["content-encoding"], undefined);
    assert.equal(headers["vary"], "Accept, Accept-Encoding");
    assert.equal(new TextDecoder().decode(body), page);
  });
}

Deno.test("readers of one page get the version of OpenMetrics that each asks for", async () => {
  const { server } = start({ workers: 1 });
  await using _ = server;
  for (const version of ["1.0.0", "0.0.1", "1.0.0"]) {
    const accept = `application/openmetrics-text;version=${version}`;
    const { headers } = await fetchRaw(server.address, { accept });
    assert.equal(headers["content-type"], `application/openmetrics-text; version=${version}; charset=utf-8`);
    assert.equal(headers["snapshot-seq"], "1");
  }
});

Deno.test("a page with characters of several bytes comes whole", async () => {
  const text = 'up{model="größe€𝄞"} 1\n';
  const page = { seq: 1, parts: [new TextEncoder().encode(text)] };
  const routes = new Map([[
    "/metrics",
    metricsRoute({ lend: () => Promise.resolve(lentForEver(page)), gzip: true }),
  ]]);
  await using server = startServer({ host: "127.0.0.1", port: 0, routes, drainMs: 100 });
  const { headers, body } = await fetchRaw(server.address, {});
  assert.equal(headers["content-length"], String(lengthOf(page.parts)));
  assert.equal(new TextDecoder().decode(body), text);
});

Deno.test("HEAD says of the page what GET does, in each format", async () => {
  const { server } = start({ workers: 20 });
  await using _ = server;
  for (const accept of ["text/plain", "application/openmetrics-text"]) {
    const headers = { accept, "accept-encoding": "identity" };
    const url = `http://${server.address}/metrics`;
    const asked = await Promise.all(
      ["HEAD", "GET"].map(async (method) => {
        const response = await fetch(url, { method, headers });
        const body = await response.text();
        if (method === "GET") assert.equal(body.endsWith(OPENMETRICS.end), accept !== "text/plain");
        return ["content-type", "content-length", "vary"].map((name) => response.headers.get(name));
      }),
    );
    assert.deepEqual(asked[0], asked[1]);
  }
});

Deno.test("fifty readers at once cost one rendering, and all get the whole page", async () => {
  const { server, state } = start({ workers: 200 });
  await using _ = server;
  const expected = renderText(largeSnapshot(1, { workers: 200 }), []);
  const headers = { "accept-encoding": "identity" };
  const readers = Array.from({ length: 50 }, async () => {
    const response = await fetch(`http://${server.address}/metrics`, { headers });
    assert.ok(await response.text() === expected);
  });
  await Promise.all(readers);
  assert.equal(state.rendered, 1);
});

Deno.test("a slow reader gets the whole page of one Snapshot while rounds go on", async () => {
  const { server, state } = start({ workers: 2_000 });
  await using _ = server;
  const headers = { "accept-encoding": "identity" };
  const response = await fetch(`http://${server.address}/metrics`, { headers });
  let text = "";
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    state.seq++;
    if (state.seq < 10) await (await fetch(`http://${server.address}/metrics`)).body?.cancel();
  }
  assert.ok(state.seq >= 10);
  assert.ok(text === renderText(largeSnapshot(1, { workers: 2_000 }), []));
});

Deno.test("a reader that goes away while its page is made spoils nothing", async () => {
  const { promise: held, resolve: goOn } = Promise.withResolvers<void>();
  const { server, state } = start({ workers: 1_000, pause: () => held });
  await using _ = server;
  const url = `http://${server.address}/metrics`;
  const end = new AbortController();
  const gone = fetch(url, { signal: end.signal });
  await eventually(() => assert.equal(state.rendered, 1));
  end.abort();
  await assert.rejects(gone, { name: "AbortError" });
  const next = fetch(url, { headers: { "accept-encoding": "identity" } });
  goOn();
  assert.ok(await (await next).text() === renderText(largeSnapshot(1, { workers: 1_000 }), []));
  assert.equal(state.rendered, 1);
});

Deno.test("a page is given back by a reader that takes it all, one that leaves in the midst, and one that asks for its head", async () => {
  const { server, state } = start({ workers: 2_000 });
  await using _ = server;
  const url = `http://${server.address}/metrics`;
  const readers = [
    async () => void await (await fetch(url)).bytes(),
    async () => void await (await fetch(url, { headers: { "accept-encoding": "identity" } })).bytes(),
    async () => void await (await fetch(url, { method: "HEAD" })).bytes(),
    async () => {
      const reader = (await fetch(url, { headers: { "accept-encoding": "identity" } })).body!.getReader();
      await reader.read();
      await reader.cancel();
    },
  ];
  for (const read of readers) {
    state.lent.clear();
    await read();
    const lent = [...state.lent];
    assert.ok(lent.length > 0 && lent.every(({ parts }) => lengthOf(parts) > 0));
    state.seq++;
    await (await fetch(url)).bytes();
    await eventually(() => assert.ok(lent.every(({ parts }) => lengthOf(parts) === 0)));
  }
});
