import type { FleetSeries, Past } from "../monitor/history.ts";
import type { WorkerSeries } from "../monitor/worker_rows.ts";
import { timeText } from "./worker_json.ts";

const FLEET_NAMES: Readonly<Record<keyof FleetSeries, string>> = {
  loadAvg: "load_avg",
  loadStd: "load_std",
  kvUtilisation: "kv_utilisation",
  slotUtilisation: "slot_utilisation",
  requestsWaiting: "requests_waiting",
  workers: "workers",
  responding: "responding",
  silent: "silent",
  roundSeconds: "round_seconds",
  hitRate: "hit_rate",
};

const WORKER_NAMES: Readonly<Record<keyof WorkerSeries, string>> = {
  blocksUsed: "kv_blocks_used",
  slotsActive: "slots_active",
  requestsWaiting: "requests_waiting",
  cacheUsage: "cache_usage",
};

/** The JSON of the fleet's past (docs/api/history.schema.json). */
export function fleetHistoryJson(past: Past<FleetSeries>): string {
  return historyJson(past, FLEET_NAMES);
}

/** The JSON of a worker's past, of the same form. */
export function workerHistoryJson(past: Past<WorkerSeries>): string {
  return historyJson(past, WORKER_NAMES);
}

/** JSON writes what is not finite as null. */
function historyJson<Name extends string>(
  { stepMs, to, targets }: Past<Readonly<Record<Name, readonly number[]>>>,
  names: Readonly<Record<Name, string>>,
): string {
  return JSON.stringify({
    step_seconds: stepMs / 1_000,
    to: timeText(to),
    targets: targets.map(({ target: { namespace, component, endpoint }, series }) => ({
      namespace,
      component,
      endpoint,
      series: Object.fromEntries(
        (Object.keys(names) as Name[]).map((name) => [names[name], series[name]]),
      ),
    })),
  });
}
