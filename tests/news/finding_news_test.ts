import assert from "node:assert/strict";
import type { Connection, Snapshot } from "../../lib/fleet/snapshot.ts";
import { NewsOfFindings } from "../../lib/news/finding_news.ts";
import { AWAY, natsConnection, storeConnection } from "../helpers/connections.ts";
import { at } from "../helpers/fleet_steps.ts";
import { snapshot } from "../helpers/shown_fleet.ts";

const WELL = [natsConnection(), storeConnection()];
const PUBLISHER = { role: "publisher", name: "h:1 kv_metrics", kind: "zmq", ...AWAY } as const;

/** What is told of these connections, each shown for so many seconds, with the second at which it is told. */
function told(shown: readonly (readonly [seconds: number, connections: readonly Connection[]])[]): string[] {
  const news = new NewsOfFindings();
  const lines: string[] = [];
  let second = 100;
  for (const [seconds, connections] of shown) {
    for (let n = 0; n < seconds; n++, second++) {
      const moment: Snapshot = { ...snapshot, at: at(second * 1_000), connections, targets: [] };
      for (const { code, begins, count, text, hint } of news.note(moment)) {
        lines.push(`${second - 100} ${code} ${begins ? `begins ${count} ${text}: ${hint}` : "ends"}`);
      }
    }
  }
  return lines;
}

Deno.test("a finding is told once when it has lasted for three seconds, and once when it is over for five", () => {
  assert.deepEqual(told([[2, WELL], [10, [natsConnection(), storeConnection(AWAY)]], [10, WELL]]), [
    "5 store_disconnected begins 1 etcd is not connected: why",
    "16 store_disconnected ends",
  ]);
});

Deno.test("what blinks is told once, and what was over before it settled is not told at all", () => {
  const away = [natsConnection(), storeConnection(AWAY)];
  assert.deepEqual(told([[2, away], [3, WELL]]), []);
  assert.deepEqual(told([[5, away], [3, WELL], [5, away], [3, WELL], [5, away]]), [
    "3 store_disconnected begins 1 etcd is not connected: why",
  ]);
});

Deno.test("a publisher that cannot be reached is told when it is found, and what is only good to know is not told", () => {
  assert.deepEqual(told([[1, WELL], [2, [...WELL, PUBLISHER]]]), [
    "1 publisher_unreachable begins 1 the publisher at h:1 kv_metrics cannot be reached: why",
  ]);
  assert.deepEqual(told([[40, [natsConnection(AWAY), storeConnection()]]]), []);
});
