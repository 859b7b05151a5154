import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { joinBytes, lengthOf } from "../../lib/bytes.ts";
import { FAMILIES } from "../../lib/exposition/families.ts";
import type { Format } from "../../lib/exposition/sample.ts";
import { OPENMETRICS } from "../../lib/exposition/openmetrics.ts";
import { type Encoding, type Page, Pages, type PagesOptions } from "../../lib/exposition/pages.ts";
import { renderPage } from "../../lib/exposition/render.ts";
import { TEXT } from "../../lib/exposition/text.ts";
import { nextTurn } from "../helpers/next_turn.ts";
import { largeSnapshot } from "../helpers/large_fleet.ts";
import { renderText } from "../helpers/render_text.ts";
import { snapshot } from "../helpers/shown_fleet.ts";

function pagesOf(options: Partial<PagesOptions>): Pages {
  return new Pages({
    snapshot: () => snapshot,
    counted: () => Promise.resolve([]),
    workerLabels: "full",
    pause: nextTurn,
    ...options,
  });
}

/** A page that is never given back. */
async function lent(pages: Pages, format: Format, encoding: Encoding): Promise<Page> {
  return (await pages.lend(format, encoding)).page;
}

const textOf = ({ parts }: Page) => new TextDecoder().decode(joinBytes(parts));
const unpacked = ({ parts }: Page) => gunzipSync(joinBytes(parts)).toString();

Deno.test("a page is made once for a Snapshot, format and encoding, however many ask, and anew for the next", async () => {
  let current = snapshot;
  let made = 0;
  const pages = pagesOf({
    snapshot: () => current,
    counted: () => {
      made++;
      return Promise.resolve([]);
    },
  });
  const text = await Promise.all([lent(pages, TEXT, "identity"), lent(pages, TEXT, "identity")]);
  assert.equal(text[0], text[1]);
  const gzip = await Promise.all([lent(pages, TEXT, "gzip"), lent(pages, TEXT, "gzip")]);
  assert.equal(gzip[0], gzip[1]);
  assert.equal(made, 1);
  assert.equal(unpacked(gzip[0]!), textOf(text[0]!));
  await Promise.all([lent(pages, OPENMETRICS, "gzip"), lent(pages, OPENMETRICS, "identity")]);
  assert.equal(made, 2);
  current = { ...snapshot, seq: 8 };
  assert.equal((await lent(pages, TEXT, "gzip")).seq, 8);
  assert.equal(made, 3);
});

Deno.test("a large page is made in slices, whole, of the Snapshot it was begun with", async () => {
  let current = largeSnapshot(1, { workers: 2_000 });
  const first = renderText(current, []);
  let pauses = 0;
  const pages = pagesOf({
    snapshot: () => current,
    pause: async () => {
      pauses++;
      current = largeSnapshot(1 + pauses, { workers: 1 }); // A round between any two slices.
      await nextTurn();
    },
  });
  const page = await lent(pages, TEXT, "gzip");
  assert.equal(page.seq, 1);
  assert.equal(unpacked(page), first);
  assert.ok(pauses >= 10, `${pauses} pauses`);
});

Deno.test("no sample is lost or doubled between pieces: every family has each worker once, in order", () => {
  const workers = 2_000;
  const ids = Array.from({ length: workers }, (_, n) => String(n + 1));
  const page = renderText(largeSnapshot(1, { workers }), []);
  const families = FAMILIES.filter(({ source }) => source.per === "worker");
  for (const { name } of families) {
    const shown = page.matchAll(new RegExp(`^${name}\\{.*worker_id="(\\d+)"`, "gm")).map(([, id]) => id);
    assert.deepEqual([...shown], ids, name);
  }
  const ranks = page.match(/^dynamo_metrics_rank_kv_blocks_used\{/gm);
  assert.equal(ranks?.length, 2 * workers);
  const requests = page.match(/^dynamo_metrics_endpoint_requests_total\{/gm);
  assert.equal(requests?.length, 2 * workers);
});

Deno.test("no piece is longer than 100,000 characters, and all are whole lines", () => {
  const content = {
    snapshot: largeSnapshot(1, { workers: 2_000 }),
    counted: [],
    workerLabels: "full",
  } as const;
  for (const piece of renderPage(OPENMETRICS, content)) {
    assert.ok(piece.length < 100_000);
    assert.ok(piece === "" || piece.endsWith("\n"));
  }
});

Deno.test("whoever is ready has a turn between two slices", async () => {
  const current = largeSnapshot(1, { workers: 2_000 });
  let ended = false;
  let turns = 0;
  const page = lent(pagesOf({ snapshot: () => current }), TEXT, "identity").finally(() => ended = true);
  const { promise, resolve } = Promise.withResolvers<void>();
  const count = () => ended ? resolve() : (turns++, setTimeout(count, 0));
  setTimeout(count, 0);
  await page;
  await promise;
  assert.ok(turns > 1, `${turns} turns of a timer`);
});

Deno.test("characters of several bytes, and pages that grow, come out as they are", async () => {
  const [target] = snapshot.targets;
  const wide = { ...target!, target: { ...target!.target, component: "größe€𝄞" } };
  let workers = 1;
  const current = () => {
    const { seq, targets } = largeSnapshot(workers, { workers });
    return { ...snapshot, seq, targets: [{ ...wide, workers: targets[0]!.workers }] };
  };
  const pages = pagesOf({ snapshot: current });
  for (workers of [1, 50, 700, 3]) {
    assert.equal(textOf(await lent(pages, TEXT, "identity")), renderText(current(), []));
  }
});

Deno.test("a page of megabytes is in parts, none larger than 256 KiB, and as memory each its own", async () => {
  const current = largeSnapshot(1, { workers: 2_000 });
  const page = await lent(pagesOf({ snapshot: () => current }), TEXT, "identity");
  assert.equal(textOf(page), renderText(current, []));
  assert.ok(page.parts.length > 10);
  assert.ok(page.parts.every(({ length }) => length <= 262_144));
  assert.equal(new Set(page.parts.map(({ buffer }) => buffer)).size, page.parts.length);
});

Deno.test("a page that could not be made is tried again for the next reader", async () => {
  let fails = true;
  const pages = pagesOf({ counted: () => fails ? Promise.reject(new Error("no")) : Promise.resolve([]) });
  await assert.rejects(lent(pages, TEXT, "gzip"), /^Error: no$/);
  await assert.rejects(lent(pages, TEXT, "identity"), /^Error: no$/);
  fails = false;
  assert.equal(unpacked(await lent(pages, TEXT, "gzip")), renderText(snapshot, []));
});

Deno.test("the memory of a page is given back when there is a newer one and nobody reads it, not before", async () => {
  for (const encoding of ["identity", "gzip"] as const) {
    let current = snapshot;
    const pages = pagesOf({ snapshot: () => current });
    const [first, second] = await Promise.all([pages.lend(TEXT, encoding), pages.lend(TEXT, encoding)]);
    const { parts } = first!.page;
    first![Symbol.dispose]();
    first![Symbol.dispose]();
    const before = lengthOf(parts);
    current = { ...snapshot, seq: snapshot.seq + 1 };
    using newer = await pages.lend(TEXT, encoding);
    assert.equal(lengthOf(parts), before);
    second![Symbol.dispose]();
    await nextTurn();
    assert.equal(lengthOf(parts), 0);
    assert.ok(lengthOf(newer.page.parts) > 0);
  }
});
