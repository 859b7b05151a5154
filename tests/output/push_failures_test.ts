import assert from "node:assert/strict";
import { configureLogging, parseLogFilter } from "../../lib/log.ts";
import { groupUrl } from "../../lib/output/push_group.ts";
import { deleteGroup, type PushOptions, pushRegularly } from "../../lib/output/pushgateway.ts";
import { gzip } from "../../lib/exposition/gzip.ts";
import { TEXT_CONTENT_TYPE } from "../../lib/exposition/text.ts";
import { systemClock } from "../../lib/timing.ts";
import { lentForEver } from "../helpers/lent.ts";
import { freePorts } from "../../tools/servers/ports.ts";
import { startPushgateway } from "../../tools/servers/pushgateway.ts";

/** Pushes `pages`, one a tick and the last for ever, until `outcomes` are there; gives them and the log. */
async function push(
  options: Pick<PushOptions, "url"> & Partial<PushOptions>,
  { pages, outcomes }: { pages: readonly string[]; outcomes: number },
): Promise<{ oks: boolean[]; lines: string[] }> {
  const lines: string[] = [];
  configureLogging(
    { program: "metrics", filter: parseLogFilter(""), format: "text", localTime: false, colors: false },
    (line) => lines.push(line.slice(line.indexOf(" ")).trim()),
  );
  const end = new AbortController();
  const oks: boolean[] = [];
  await pushRegularly({
    method: "put",
    clock: systemClock,
    intervalMs: 10,
    lend: async (encoding) => {
      const bytes = new TextEncoder().encode(pages[Math.min(oks.length, pages.length - 1)]);
      const parts = encoding === "gzip" ? [await gzip([bytes], () => undefined)] : [bytes];
      return lentForEver({ seq: oks.length, parts });
    },
    contentType: TEXT_CONTENT_TYPE,
    signal: end.signal,
    ...options,
    onPush: ({ ok }) => {
      oks.push(ok);
      if (oks.length === outcomes) end.abort();
    },
  });
  return { oks, lines };
}

const group = { job: "j", instance: "a/b" };

async function samples(gateway: string): Promise<string[]> {
  const page = await (await fetch(`${gateway}/metrics`)).text();
  return page.match(/^(?:one|two)\{.*/gm) ?? [];
}

Deno.test("put replaces all that the group held, post only what has the same name", async () => {
  await using gateway = await startPushgateway();
  const url = groupUrl(new URL(gateway.url), group);
  const pages = ["one 1\ntwo 2\n", "one 3\n"];
  await push({ url, method: "post" }, { pages, outcomes: 2 });
  assert.deepEqual(await samples(gateway.url), [
    'one{instance="a/b",job="j"} 3',
    'two{instance="a/b",job="j"} 2',
  ]);
  await push({ url, method: "put" }, { pages, outcomes: 2 });
  assert.deepEqual(await samples(gateway.url), ['one{instance="a/b",job="j"} 3']);
});

Deno.test("deleting removes the group alone, and groups of other instances stay", async () => {
  await using gateway = await startPushgateway();
  const url = groupUrl(new URL(gateway.url), group);
  await push({ url }, { pages: ["one 1\n"], outcomes: 1 });
  const other = groupUrl(new URL(gateway.url), { ...group, instance: "other" });
  await push({ url: other }, { pages: ["one 2\n"], outcomes: 1 });
  await deleteGroup({ url });
  assert.deepEqual(await samples(gateway.url), ['one{instance="other",job="j"} 2']);
});

Deno.test("a page that the Pushgateway refuses is said with its words, once, and its success after that", async () => {
  await using gateway = await startPushgateway();
  const url = groupUrl(new URL(gateway.url), group);
  const { oks, lines } = await push({ url }, { pages: ["one x\n", "one y\n", "one 1\n"], outcomes: 4 });
  assert.deepEqual(oks, [false, false, true, true]);
  assert.equal(lines.length, 3);
  assert.match(
    lines[0]!,
    /^INFO metrics::push: Pushing uncompressed from now on .* cause="400 Bad Request text format parsing/,
  );
  assert.match(
    lines[1]!,
    /^ERROR metrics::push: Failed to push .* cause="400 Bad Request text format parsing/,
  );
  assert.match(lines[2]!, /^INFO metrics::push: Pushing metrics to PushGateway again/);
});

Deno.test("a Pushgateway that is not there is said once, with the cause", async () => {
  const [port = 0] = freePorts(1);
  const { oks, lines } = await push({ url: new URL(`http://127.0.0.1:${port}/`) }, {
    pages: [""],
    outcomes: 3,
  });
  assert.deepEqual(oks, [false, false, false]);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, / url=http:\/\/127\.0\.0\.1:\d+\/ cause=".*[Cc]onnection refused/);
});

Deno.test("a Pushgateway that hangs up each time is said once, whatever our own port was", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  (async () => {
    for await (const connection of listener) {
      connection.read(new Uint8Array(1)).then(() => connection.close());
    }
  })();
  const url = new URL(`http://127.0.0.1:${listener.addr.port}/`);
  const { oks, lines } = await push({ url }, { pages: ["one 1\n"], outcomes: 4 });
  assert.deepEqual(oks, [false, false, false, false]);
  assert.ok(lines.length <= 2, lines.join("\n")); // Closed, or reset: two causes at the most.
  for (const line of lines) assert.doesNotMatch(line, /fetch failed|from 127/);
});

Deno.test("a Pushgateway that does not answer in time is a failed push", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = new URL(`http://127.0.0.1:${listener.addr.port}/`);
  const { oks, lines } = await push({ url, timeoutMs: 50 }, { pages: ["one 1\n"], outcomes: 2 });
  assert.deepEqual(oks, [false, false]);
  assert.equal(lines.length, 1);
});

Deno.test("of a Pushgateway whose answer never ends only the beginning is read", async () => {
  const endless = () =>
    new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(65_536).fill(0x78)) });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(endless(), { status: 500 }),
  );
  const url = new URL(`http://127.0.0.1:${server.addr.port}/`);
  const { oks, lines } = await push({ url }, { pages: ["one 1\n"], outcomes: 2 });
  assert.deepEqual(oks, [false, false]);
  assert.match(lines[0]!, / cause="500 Internal Server Error x{100}/);
  assert.ok(lines[0]!.length < 2_000);
  await server.shutdown();
});

Deno.test("of a Pushgateway whose answer drips the status is said, and what came of the rest", async () => {
  const dripping = () =>
    new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode("no spa")) });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(dripping(), { status: 503 }),
  );
  const url = new URL(`http://127.0.0.1:${server.addr.port}/`);
  const { oks, lines } = await push({ url, timeoutMs: 200 }, { pages: ["one 1\n"], outcomes: 2 });
  assert.deepEqual(oks, [false, false]);
  assert.match(lines[0]!, / cause="503 Service Unavailable no spa"/);
  await server.shutdown();
});

/** A server before a Pushgateway: it keeps what each request says of its encoding, and refuses compressed ones with a status. */
function gatewayBefore(url: string, { refuses }: { readonly refuses?: number } = {}) {
  const encodings: (string | null)[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const body = await request.bytes();
    const encoding = request.headers.get("content-encoding");
    encodings.push(encoding);
    if (refuses !== undefined && encoding === "gzip") return new Response("cannot read", { status: refuses });
    const { pathname } = new URL(request.url);
    return await fetch(url + pathname, { method: request.method, headers: request.headers, body });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    encodings,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("every page goes out compressed to a Pushgateway that takes it so", async () => {
  await using gateway = await startPushgateway();
  await using before = gatewayBefore(gateway.url);
  const { oks, lines } = await push({ url: groupUrl(new URL(before.url), group) }, {
    pages: ["one 1\n", "one 2\n"],
    outcomes: 3,
  });
  assert.deepEqual(oks, [true, true, true]);
  assert.deepEqual(before.encodings, ["gzip", "gzip", "gzip"]);
  assert.deepEqual(await samples(gateway.url), ['one{instance="a/b",job="j"} 2']);
  assert.deepEqual(lines, []);
});

for (const status of [400, 415]) {
  Deno.test(`after a ${status} to a compressed page, it and all later ones go out plain, and one line says so`, async () => {
    await using gateway = await startPushgateway();
    await using before = gatewayBefore(gateway.url, { refuses: status });
    const { oks, lines } = await push({ url: groupUrl(new URL(before.url), group) }, {
      pages: ["one 1\n", "one 2\n"],
      outcomes: 3,
    });
    assert.deepEqual(oks, [true, true, true]);
    assert.deepEqual(before.encodings, ["gzip", null, null, null]);
    assert.deepEqual(await samples(gateway.url), ['one{instance="a/b",job="j"} 2']);
    assert.equal(lines.length, 1);
    assert.match(
      lines[0]!,
      new RegExp(`^INFO .*Pushing uncompressed from now on .* cause="${status} .*cannot read"`),
    );
  });
}

Deno.test("after a 500 to a compressed page the next one is compressed too", async () => {
  await using gateway = await startPushgateway();
  await using before = gatewayBefore(gateway.url, { refuses: 500 });
  const { oks } = await push({ url: groupUrl(new URL(before.url), group) }, {
    pages: ["one 1\n"],
    outcomes: 2,
  });
  assert.deepEqual(oks, [false, false]);
  assert.deepEqual(before.encodings, ["gzip", "gzip"]);
});
