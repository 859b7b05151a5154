import assert from "node:assert/strict";
import type { Fleet, Worker } from "../../lib/exposition/api_v1.ts";
import { isWhole } from "../../lib/top/first_table.ts";
import { fleetOf, loaded, workerOf } from "./fleet_fixture.ts";

const ZMQ = { channels: ["event_zmq", "card"] };
const withoutEtcd = (workers: readonly Worker[]): Fleet => {
  const { etcd: _, ...fleet } = fleetOf(workers);
  return fleet;
};
const away = { etcd: { kind: "etcd", connected: false } } as const;

const CASES: readonly (readonly [what: string, fleet: Fleet | undefined, whole: boolean])[] = [
  ["nothing was heard", undefined, false],
  ["nobody is there", fleetOf([]), false],
  ["all answer, listed or not", fleetOf([loaded("1", 2, 3)]), true],
  ["all answer, and there is no etcd", withoutEtcd([loaded("1", 2, 3), loaded("2", 2, 3)]), true],
  [
    "one has said nothing yet",
    fleetOf([loaded("1", 2, 3), workerOf("2", { state: "discovered", channels: [] })]),
    false,
  ],
  [
    "all that are listed speak by themselves",
    fleetOf([loaded("1", 2, 3, ZMQ), loaded("2", 0, 0, ZMQ)]),
    true,
  ],
  [
    "one that speaks by itself has not said its blocks",
    fleetOf([loaded("1", 2, 3, ZMQ), workerOf("2", { ...ZMQ, slots_active: 1 })]),
    false,
  ],
  [
    "one speaks by itself, and more may follow that nobody lists",
    withoutEtcd([loaded("1", 2, 3, ZMQ)]),
    false,
  ],
  ["as before, for etcd is away", fleetOf([loaded("1", 2, 3, ZMQ)], away), false],
  [
    "its page has no blocks, but events may",
    fleetOf([workerOf("1", { state: "no_data", channels: ["http"] })]),
    false,
  ],
  ["its answer has no data, and never will", fleetOf([workerOf("1", { state: "no_data" })]), true],
  ["its answer is no load", fleetOf([workerOf("1", { state: "undecodable" })]), true],
  [
    "one is silent, listed or not",
    withoutEtcd([loaded("1", 2, 3), workerOf("2", { state: "silent", channels: [] })]),
    true,
  ],
];

for (const [what, fleet, whole] of CASES) {
  Deno.test(`one table is written ${whole ? "at once" : "only after a time"} where ${what}`, () => {
    assert.equal(isWhole({ fleet }), whole);
  });
}
