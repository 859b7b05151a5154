import assert from "node:assert/strict";
import type { Fleet, WorkerChange } from "../../lib/exposition/api_v1.ts";
import { plain } from "../../lib/top/line.ts";
import { plainText } from "../../lib/top/plain.ts";
import { rowsOf, screenOf } from "../../lib/top/screen.ts";
import { FIRST_VIEW, type View } from "../../lib/top/view.ts";
import { assertGolden } from "../helpers/golden.ts";
import { AT, fleetOf, readingOf } from "./fleet_fixture.ts";

const LOST = "7587884888888582797";

/** So many seconds before the moment that is shown. */
function ago(seconds: number): string {
  return new Date(Date.parse(AT) - 1_000 * seconds).toISOString();
}

const CHANGES: readonly WorkerChange[] = [
  { at: ago(600), id: "1", kind: "new", reason: "registered" },
  { at: ago(500), id: "1", kind: "restarted", reason: "counters_fell" },
  { at: ago(400), id: "2", kind: "gone", reason: "withdrawn", last_seen_at: ago(401) },
  { at: ago(300), id: "3", kind: "gone", reason: "unknown" },
  { at: ago(200), id: "4", kind: "silent", reason: "no_sign", last_seen_at: ago(203) },
  { at: ago(190), id: "4", kind: "back", reason: "heard" },
  { at: ago(20), id: LOST, kind: "silent", reason: "no_sign", last_seen_at: ago(23) },
  { at: ago(12), id: LOST, kind: "gone", reason: "silent", last_seen_at: ago(23) },
];

function fleet(changes: readonly WorkerChange[] | undefined, isLost = true): Fleet {
  const fleet = fleetOf([]);
  const target = {
    ...fleet.targets[0]!,
    ...(changes && { changes, changes_since: ago(3_600) }),
    ...(isLost && {
      losses: { workers: 3, at: ago(12), ids: [LOST, "5", "6"] },
      finding_counts: { worker_lost: 1 },
    }),
  };
  return { ...fleet, targets: [target] };
}

function shown(fleet: Fleet, { columns, rows, view }: { columns: number; rows: number; view: View }): string {
  const picture = {
    reading: readingOf(fleet, { ageMs: 0 }),
    url: undefined,
    view,
    past: undefined,
    workerPast: undefined,
    columns,
    rows,
  };
  return screenOf(picture, rowsOf(picture)).lines.map(plain).join("\n") + "\n";
}

/** Times of the day are the reader's. */
function anywhere(text: string): string {
  return text.replaceAll(/\d\d:\d\d:\d\d/g, "HH:MM:SS");
}

const LIST: View = { ...FIRST_VIEW, detail: { kind: "changes", from: 0 } };

for (const [columns, rows] of [[80, 24], [40, 12]] as const) {
  Deno.test(`what became of workers is listed on ${columns} by ${rows}, and the head says who was lost`, async () => {
    const whole = fleet(CHANGES);
    await assertGolden(
      `top/changes-${columns}x${rows}.txt`,
      anywhere(shown(whole, { columns, rows, view: LIST })),
    );
    assert.match(
      shown(whole, { columns, rows, view: FIRST_VIEW }),
      /^0 alive, 3 lost, the last 12 s ago \((…582797, 5, 1 more\) {2}worker_lost)?/m,
    );
  });
}

Deno.test("a worker that is gone says how it went", () => {
  const view: View = { ...FIRST_VIEW, detail: { kind: "worker", id: LOST, from: 0 } };
  const text = shown(fleet(CHANGES), { columns: 80, rows: 24, view });
  assert.match(
    text,
    /is gone\n\d\d:\d\d:\d\d {2}7587884888888582797 {3}lost {6}silent for 11 s\n/,
  );
});

Deno.test("without changes, or from a metrics that tells none, the list says so", () => {
  for (const changes of [[], undefined]) {
    const text = shown(fleet(changes, false), { columns: 80, rows: 24, view: LIST });
    assert.match(text, /^Changes(?: since \d\d:\d\d:\d\d)?\nNone\.\n/m);
    assert.doesNotMatch(text, /lost/);
  }
});

Deno.test("the table for pipes ends with the last ten changes, if there are any", () => {
  const many = Array.from({ length: 30 }, (_, n): WorkerChange => ({ ...CHANGES[0]!, id: String(100 + n) }));
  const textOf = (changes: readonly WorkerChange[]) => {
    const whole = fleet(changes);
    return plainText(whole, { reading: readingOf(whole), url: undefined });
  };
  const lines = textOf(many).trimEnd().split("\n");
  assert.match(lines.at(-11)!, /^Changes since/);
  assert.match(lines.at(-1)!, / 120 /);
  assert.match(textOf(many), /^0 alive, 3 lost, the last 12 s ago \(…582797, 5, 1 more\) {2}worker_lost$/m);
  assert.doesNotMatch(textOf([]), /^Changes/m);
});
