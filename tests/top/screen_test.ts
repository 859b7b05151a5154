import assert from "node:assert/strict";
import type { Fleet } from "../../lib/exposition/api_v1.ts";
import { plain, widthOf } from "../../lib/top/line.ts";
import { plainText } from "../../lib/top/plain.ts";
import { type Picture, rowsOf, screenOf } from "../../lib/top/screen.ts";
import { FIRST_VIEW } from "../../lib/top/view.ts";
import { assertGolden } from "../helpers/golden.ts";
import { AT, fleetOf, loaded, pastOf, readingOf, workerOf } from "./fleet_fixture.ts";

const BIGGEST = "18446744073709551615";
const workers = [
  loaded("42", 71, 10, { requests_waiting: 3, model: "Llama\x1b[31m", worker_type: "decode" }),
  workerOf("1113693191153504780", { state: "silent", last_seen_at: "2026-01-02T03:03:00.000Z" }),
  loaded(BIGGEST, 34, 9, {
    registered: true,
    release: "0.7.1",
    service_version: "0.0.1",
    load_shape: "flat7",
    cache_usage: 0.25,
    prefix_hit: 0.5,
    ranks: [
      { dp_rank: 0, kv_blocks_used: 30, requests_running: 1 },
      { dp_rank: 1, kv_blocks_used: 4, requests_waiting: 2 },
    ],
    estimates: [{ router: "f00d", dp_rank: 0, active_decode_blocks: 31 }],
    endpoints: [{ name: "generate", requests: 1_234, errors: 5, processing_seconds: 61.25 }],
  }),
];
const past = pastOf({
  kv_utilisation: Array.from({ length: 100 }, (_, n) => n / 100),
  slot_utilisation: Array(100).fill(0.95),
  load_avg: [...Array(50).fill(20), ...Array(20).fill(null), ...Array(30).fill(60)],
  requests_waiting: Array(100).fill(0),
});
const workerPast = pastOf({ kv_blocks_used: [0, 50, 100], slots_active: [10, 10, 10] });

function pictureOf(fleet: Fleet | undefined, more: Partial<Picture> = {}): Picture {
  const reading = readingOf(fleet);
  const size = { columns: 80, rows: 24 };
  return { reading, url: undefined, view: FIRST_VIEW, past, workerPast, ...size, ...more };
}

function shown(picture: Picture): string {
  return screenOf(picture, rowsOf(picture)).lines.map(plain).join("\n") + "\n";
}

const fleet = fleetOf(workers);
const lost = readingOf(fleet, { isLost: true, ageMs: 12_000, problem: "Connection refused (os error 111)" });
const detail = { ...FIRST_VIEW, detail: { kind: "worker" as const, id: BIGGEST, from: 0 } };
const pictures: Record<string, Picture> = {
  "80x24": pictureOf(fleet),
  "200x60": pictureOf(fleet, { columns: 200, rows: 60, url: "http://metrics.example:9091" }),
  "48x10": pictureOf(fleet, { columns: 48, rows: 10, url: "http://metrics.example:9091" }),
  "lost": pictureOf(fleet, { url: "http://metrics.example:9091", reading: lost }),
  "worker": pictureOf(fleet, { view: detail }),
};

for (const [name, picture] of Object.entries(pictures)) {
  Deno.test(`the screen of ${name} is as it was looked at`, async () => {
    await assertGolden(`top/${name}.txt`, shown(picture));
  });
}

Deno.test("a screen has as many lines as the terminal has rows, and none is wider", () => {
  for (const fleet of [undefined, fleetOf([]), fleetOf(workers), { ...fleetOf([]), targets: [] }]) {
    for (const columns of [1, 20, 60, 79, 80, 81, 120, 200, 500]) {
      for (const rows of [1, 2, 5, 15, 16, 24, 60]) {
        for (const view of [FIRST_VIEW, detail, { ...FIRST_VIEW, isTyping: true, filter: "x".repeat(64) }]) {
          const picture = pictureOf(fleet, { columns, rows, view });
          const { lines } = screenOf(picture, rowsOf(picture));
          assert.equal(lines.length, rows);
          assert.deepEqual(lines.map(widthOf), Array(rows).fill(columns), `${columns}x${rows}`);
        }
      }
    }
  }
});

Deno.test("of ten thousand workers only those are made into lines that are seen", () => {
  const many = fleetOf(Array.from({ length: 10_000 }, (_, n) => loaded(String(n), n % 100, 1)));
  let looked = 0;
  const picture = pictureOf(many, {
    view: { ...FIRST_VIEW, sort: "worker", cursor: { id: "5000", index: 5_000 } },
  });
  const rows = rowsOf(picture).map((worker) =>
    new Proxy(worker, {
      get: (of, name) => {
        if (name === "state") looked++;
        return Reflect.get(of, name);
      },
    })
  );
  const text = screenOf(picture, rows).lines.map(plain).join("\n");
  assert.match(text, /^> 5000 /m);
  assert.match(text, / 4987-5001 of 10000$/m);
  assert.ok(looked < 100, String(looked));
});

Deno.test("of three hundred workers the silent one is named above and comes first, then the one with the highest load", () => {
  const many = Array.from(
    { length: 300 },
    (_, n) =>
      n === 250 ? workerOf("7000000250", { state: "silent" }) : loaded(String(7_000_000_000 + n), n % 97, 1),
  );
  const text = shown(pictureOf(fleetOf(many)));
  assert.match(
    text,
    /^Workers 300 {2}299 responding {2}1 silent .*\nWorker …000250 is silent, last seen 0\.4s ago {2}worker_silent$/m,
  );
  assert.match(text, /^> 7000000250 +silent .*\n {2}7000000096 +responding .* 96% /m);
  const two = [...many, workerOf("7000000999", { state: "silent" }), workerOf("7", { state: "silent" })];
  assert.match(
    shown(pictureOf(fleetOf(two))),
    /^3 of 302 workers are silent: …000250, …000999, 1 more {2}worker_silent$/m,
  );
  assert.match(
    shown(pictureOf(fleetOf(two), { columns: 40, rows: 12 })),
    /^Workers 302 {2}299 responding {2}3 silent\n3 of 302 workers are silent/m,
  );
});

Deno.test("the load stays on narrow and low terminals, and ids give way to it", () => {
  const kv = /^> …504780 +silent +– .*\n {2}42 +responding +[^\d]* 71% /m;
  for (let columns = 29; columns <= 47; columns++) {
    assert.match(shown(pictureOf(fleet, { columns, rows: 12 })).replace(/$/gm, " "), kv, String(columns));
  }
  for (const columns of [48, 60, 80]) {
    assert.match(shown(pictureOf(fleet, { columns })), /^> 1113693191153504780 +silent +–/m);
  }
  for (let rows = 6; rows <= 24; rows++) {
    const text = shown(pictureOf(fleet, { columns: 40, rows }));
    assert.match(text, /^KV +█.* 53% {2}105\/200/m);
    assert.equal(/^Slots /m.test(text), rows >= 16, String(rows));
  }
});

Deno.test("what is lost is grey below the lines that say so, and nothing is said by colour alone", () => {
  const picture = pictures["lost"]!;
  const { lines } = screenOf(picture, rowsOf(picture));
  assert.deepEqual(
    new Set(lines.slice(2, -1).flat().map(({ color }) => color)).difference(new Set([undefined, "gray"])),
    new Set(),
  );
  assert.match(shown(picture), /LOST, last told 12s ago\nTrying again: Connection refused/);
});

Deno.test("what is away, failed or not there is said in words", () => {
  const [target] = fleet.targets;
  const away = fleetOf([], {
    nats: { connected: false, reconnects: 3 },
    etcd: { kind: "file", connected: false },
    findings: [{
      code: "nats_disconnected",
      severity: "error",
      text: "NATS is not connected",
      hint: "refused",
    }],
    finding_counts: { nats_disconnected: 1, store_disconnected: 1 },
    targets: [{ ...target!, workers: [], aggregate: { workers: fleetOf([]).targets[0]!.aggregate.workers } }],
  });
  const text = shown(pictureOf(away, { reading: readingOf(away) }));
  assert.match(text, /^NATS away {2}file store away$/m);
  assert.match(text, /^NATS is not connected: refused {2}nats_disconnected$/m);
  assert.match(text, /^The store that lists the workers cannot be read.* {2}store_disconnected$/m);
  assert.match(text, /^Workers 0/m);
  assert.match(text, /^No workers$/m);
  assert.match(shown(pictureOf(fleet, { view: { ...FIRST_VIEW, filter: "zz" } })), /^No worker has "zz"$/m);
  const gone = { ...FIRST_VIEW, detail: { kind: "worker" as const, id: "7", from: 0 } };
  assert.match(shown(pictureOf(fleet, { view: gone })), /^Worker 7 is gone$/m);
  const waiting = readingOf(undefined, { problem: "Connection refused" });
  assert.match(
    shown(pictureOf(undefined, { reading: waiting, url: "http://h:1" })),
    /^Waiting for http:\/\/h:1\nTrying again: Connection refused$/m,
  );
});

Deno.test("each of several targets is shown by its own", () => {
  const [first] = fleet.targets;
  const second = { ...first!, component: "prefill", workers: [workerOf("99")] };
  const two = { ...fleet, targets: [first!, second] };
  const text = shown(pictureOf(two, { view: { ...FIRST_VIEW, target: 1 } }));
  assert.match(text, /^dynamo\/prefill\/generate \(2 of 2\) /);
  assert.match(text, /^> 99 /m);
  assert.match(text, / Tab target /);
});

Deno.test("without a terminal it is a table of all that is known", async () => {
  await assertGolden("top/plain.txt", plainText(fleet, { reading: readingOf(fleet), url: undefined }));
  assert.equal(AT, fleet.at);
});
