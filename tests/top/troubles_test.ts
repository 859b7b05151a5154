import assert from "node:assert/strict";
import type { Aggregate, Fleet, Rank, Worker } from "../../lib/exposition/api_v1.ts";
import { plain } from "../../lib/top/line.ts";
import { plainText } from "../../lib/top/plain.ts";
import { type Picture, rowsOf, screenOf } from "../../lib/top/screen.ts";
import { FIRST_VIEW } from "../../lib/top/view.ts";
import { assertGolden } from "../helpers/golden.ts";
import { fleetOf, loaded, readingOf } from "./fleet_fixture.ts";

const STUCK = "1113693191153504780";
const PARTIAL = "7587884888253033398";
const SINCE = "2026-01-02T03:03:45.000Z";

function rankOf(dp_rank: number): Rank {
  const numbers = { kv_blocks_used: 9, requests_running: 2, requests_waiting: 1 };
  return { dp_rank, silent: false, ...numbers, cache_usage: 0.25, prefix_hit: 0.625 };
}

const stuck = loaded(STUCK, 31, 5, { stuck_since: SINCE, requests_in_flight: 8 });
const partial = loaded(PARTIAL, 20, 4, {
  requests_waiting: 42,
  requests_in_flight: 3,
  ranks_expected: 8,
  ranks_heard: 4,
  ranks: [rankOf(0), { dp_rank: 1, silent: true }, rankOf(2), rankOf(3), rankOf(4)],
});
const starting = loaded("42", 0, 0, { requests_in_flight: 8, first_pass_pending: true });
const pageless = loaded("43", 10, 1, {
  page_problem: `http://10.0.0.1:9090/metrics: ${"a long reason ".repeat(8)}\x1b[31m`,
});
const both = loaded("44", 1, 1, {
  stuck_since: SINCE,
  requests_in_flight: 1,
  ranks_expected: 16,
  ranks_heard: 16,
  ranks: [{ ...rankOf(0), silent: true }, rankOf(1)],
});

function troubledFleet(workers: readonly Worker[], sums: Partial<Aggregate>): Fleet {
  const fleet = fleetOf(workers);
  const [target] = fleet.targets;
  return { ...fleet, targets: [{ ...target!, aggregate: { ...target!.aggregate, ...sums } }] };
}

const workers = [starting, pageless, stuck, partial];
const fleet = troubledFleet(workers, {
  requests_in_flight: 19,
  workers_stuck: 1,
  workers_partial: 1,
  ranks_silent: 1,
});

function shown(of: Fleet, more: Partial<Picture> = {}): string {
  const picture: Picture = {
    reading: readingOf(of),
    url: undefined,
    view: { ...FIRST_VIEW, sort: "state" },
    past: undefined,
    workerPast: undefined,
    columns: 80,
    rows: 24,
    ...more,
  };
  return screenOf(picture, rowsOf(picture)).lines.map(plain).join("\n") + "\n";
}

function detailOf(id: string): Pick<Picture, "view"> {
  return { view: { ...FIRST_VIEW, detail: { kind: "worker" as const, id, from: 0 } } };
}

for (const [columns, rows] of [[80, 24], [40, 12], [120, 24]] as const) {
  Deno.test(`stuck workers, silent ranks and sums over some ranks are said on ${columns} by ${rows}`, async () => {
    await assertGolden(`top/troubles-${columns}x${rows}.txt`, shown(fleet, { columns, rows }));
  });
}

Deno.test("a worker's own lines say over which ranks its numbers are, and which rank is silent", async () => {
  await assertGolden("top/worker-partial.txt", shown(fleet, { ...detailOf(PARTIAL), rows: 32 }));
});

Deno.test("a worker's own lines say that it is stuck, has started nothing yet, or has a page that is not read", () => {
  assert.match(shown(fleet, detailOf(STUCK)), /^8 requests in flight, no forward pass for 20 s$/m);
  const first = shown(fleet, detailOf("42"));
  assert.match(first, /^8 requests in flight, none started yet$/m);
  assert.match(first, /^In flight {3}8$/m);
  const page = shown(fleet, detailOf("43"));
  assert.match(page, /^Page: http:\/\/10\.0\.0\.1:9090\/metrics: a long reason/m);
  assert.match(page, /^long reason .*\ufffd\[31m$/m);
  assert.match(page, /^In flight {3}–$/m);
});

Deno.test("without a terminal the table has what states and numbers do not say", async () => {
  await assertGolden(
    "top/plain-troubles.txt",
    plainText(fleet, { reading: readingOf(fleet), url: undefined }),
  );
});

Deno.test("without a terminal the findings stand below, worst first, with what to do, and the rest is counted", () => {
  const finding = {
    code: "worker_silent",
    severity: "error",
    worker: "7",
    text: "worker 7 is silent",
    hint: "Look at\x1b[31m its process.",
  } as const;
  const told = { ...fleet, findings: Array(12).fill(finding), findings_more: 5 };
  const text = plainText(told, { reading: readingOf(told), url: undefined });
  const lines = text.slice(text.indexOf("SEVERITY")).split("\n");
  assert.equal(lines[0], "SEVERITY  FINDING        WHAT");
  assert.equal(lines[1], "error     worker_silent  worker 7 is silent. Look at\ufffd[31m its process.");
  assert.deepEqual([lines[10], lines[11]], [lines[1], "… and 7 more"]);
  const well = plainText({ ...fleet, findings: [] }, { reading: readingOf(fleet), url: undefined });
  assert.doesNotMatch(well, /SEVERITY/);
});

Deno.test("several stuck workers are counted; one with a silent rank is marked for both", () => {
  const text = shown(troubledFleet([stuck, both], { workers_stuck: 2, ranks_silent: 1 }));
  assert.match(
    text,
    /^2 workers are stuck: …504780, 44 {2}worker_stuck\nWorker 44 has a silent rank: 0 {2}rank_silent$/m,
  );
  assert.match(text, /44 +stuck 20s +16 of 16! /);
});

Deno.test("nothing is said of trouble where there is none, and no column is there for it", () => {
  const text = shown(fleetOf([loaded("1", 1, 1), loaded("2", 1, 1, { ranks_expected: 2, ranks_heard: 2 })]));
  assert.doesNotMatch(text, /stuck|ranks?\b|In flight|INFL/i);
});

Deno.test("while the fleet is lost nobody is stuck for longer than was told", () => {
  const lost = readingOf(fleet, { isLost: true, ageMs: 60_000, problem: "Connection refused" });
  assert.match(shown(fleet, { reading: lost }), /stuck 20s/);
  assert.match(shown(fleet, { reading: readingOf(fleet, { ageMs: 2_000 }) }), /stuck 22s/);
});
