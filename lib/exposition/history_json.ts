import type { FleetSeries, Past } from "../deployment/history.ts";
import type { WorkerSeries } from "../deployment/worker_rows.ts";
import { arrayJson } from "./array_json.ts";
import { open } from "./fleet_json.ts";
import { timeText } from "./time_text.ts";

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

/** The JSON of the fleet's past (docs/api/history.schema.json) in pieces that are to be put together. */
export function fleetHistoryJson(past: Past<FleetSeries>): Generator<string> {
  return historyJson(past, FLEET_NAMES);
}

/** The JSON of a worker's past, of the same form. */
export function workerHistoryJson(past: Past<WorkerSeries>): Generator<string> {
  return historyJson(past, WORKER_NAMES);
}

function* historyJson<Name extends string>(
  { stepMs, to, targets }: Past<Readonly<Record<Name, readonly number[]>>>,
  names: Readonly<Record<Name, string>>,
): Generator<string> {
  yield `${open({ step_seconds: stepMs / 1_000, to: timeText(to) })},"targets":[`;
  for (const [n, { target: { namespace, component, endpoint }, series }] of targets.entries()) {
    yield `${n === 0 ? "" : ","}${open({ namespace, component, endpoint })},"series":{`;
    for (const [m, name] of (Object.keys(names) as Name[]).entries()) {
      yield `${m === 0 ? "" : ","}"${names[name]}":`;
      yield* arrayJson(series[name], (value, values: number[]) => values.push(value));
    }
    yield "}}";
  }
  yield "]}";
}
