import type { Finding, FindingCounts, Fleet, HistoryAnswer, Worker } from "../../lib/exposition/api_v1.ts";
import type { Reading } from "../../lib/top/source.ts";

/** A moment at which all workers of the fixture were seen, unless they say otherwise. */
export const AT = "2026-01-02T03:04:05.000Z";

export function workerOf(id: string, more: Partial<Worker> = {}): Worker {
  return { id, state: "responding", channels: ["stats"], last_seen_at: AT, ...more };
}

/** A worker with so many of 100 blocks and of 10 slots. */
export function loaded(id: string, blocks: number, slots: number, more: Partial<Worker> = {}): Worker {
  const numbers = { kv_blocks_used: blocks, kv_blocks_total: 100, slots_active: slots, slots_total: 10 };
  return workerOf(id, { ...numbers, requests_waiting: 0, ...more });
}

const PATH = "dynamo/backend/generate";

/** What a program finds of such workers. */
function findingsOf(workers: readonly Worker[]): readonly Finding[] {
  const about = (worker: Worker, code: Finding["code"], what: string): Finding => ({
    code,
    severity: code === "coverage_partial" ? "warning" : "error",
    target: PATH,
    worker: worker.id,
    text: `worker ${worker.id} ${what}`,
    hint: "Look at its process.",
    ...(code === "worker_silent" && { since: worker.last_seen_at! }),
  });
  return [
    ...workers.filter(({ stuck_since }) => stuck_since !== undefined).map((worker) => {
      const seconds = (Date.parse(AT) - Date.parse(worker.stuck_since!)) / 1_000;
      const what = `${worker.requests_in_flight} requests in flight, no forward pass for ${seconds} s`;
      return about(worker, "worker_stuck", `is stuck: ${what}`);
    }),
    ...workers.filter(({ state }) => state === "silent").map((worker) =>
      about(worker, "worker_silent", "is silent")
    ),
    ...workers.flatMap((worker) =>
      (worker.ranks ?? []).filter(({ silent }) => silent).map(({ dp_rank }) =>
        about(worker, "rank_silent", `has a silent rank: ${dp_rank}`)
      )
    ),
    ...workers.filter(({ ranks_heard: heard = 1, ranks_expected: all = 1 }) => heard < all).map((worker) =>
      about(
        worker,
        "coverage_partial",
        `shows numbers of ${worker.ranks_heard} of ${worker.ranks_expected} ranks`,
      )
    ),
  ];
}

function countsOf(findings: readonly Finding[]): FindingCounts {
  const codes = Map.groupBy(findings, ({ code }) => code);
  return Object.fromEntries([...codes].map(([code, { length }]) => [code, length]));
}

export function fleetOf(workers: readonly Worker[], more: Partial<Fleet> = {}): Fleet {
  const states = { discovered: 0, responding: 0, no_data: 0, undecodable: 0, silent: 0 };
  for (const { state } of workers) states[state]++;
  return {
    seq: 7,
    at: AT,
    nats: { connected: true, reconnects: 0 },
    etcd: { kind: "etcd", connected: true },
    findings: findingsOf(workers),
    finding_counts: {},
    targets: [{
      namespace: "dynamo",
      component: "backend",
      endpoint: "generate",
      up: true,
      needs_nats: true,
      finding_counts: countsOf(findingsOf(workers)),
      aggregate: {
        workers: states,
        load_avg: 52.5,
        load_std: 12.25,
        kv_blocks_used: 105,
        kv_blocks_total: 200,
        kv_utilisation: 0.525,
        slots_active: 19,
        slots_total: 20,
        slot_utilisation: 0.95,
        requests_waiting: 3,
        hit_rate: { isl_blocks: 200, overlap_blocks: 50 },
        round: { at: AT, seconds: 0.012, failed: false, expected: 2, answered: 2, decoded: 2 },
      },
      workers,
    }],
    ...more,
  };
}

export function readingOf(fleet: Fleet | undefined, more: Partial<Reading> = {}): Reading {
  return { fleet, ageMs: 400, isLost: false, problem: undefined, ...more };
}

/** Six minutes of the fixture's target at one second. */
export function pastOf(series: Readonly<Record<string, readonly (number | null)[]>>): HistoryAnswer {
  const { namespace, component, endpoint } = fleetOf([]).targets[0]!;
  return { step_seconds: 1, to: AT, targets: [{ namespace, component, endpoint, series }] };
}
