import type { Load } from "./load.ts";
import { floatText, loadText } from "./load_text.ts";
import { instanceSubject } from "./subject.ts";
import type { WorkerId } from "./worker_id.ts";

/** One worker of the aggregate: its `l2cHead`, and its load. */
export interface L2cEntry {
  readonly head: string;
  readonly load: Load;
}

/** No worker takes fewer bytes of the event. */
export const L2C_MIN_BYTES = 150;

/** What the event says of a worker before its load, the same in each: `service` is the name under which it answered. */
export function l2cHead(
  worker: WorkerId,
  { service, endpoint }: { service: string; endpoint: string },
): string {
  const subject = instanceSubject(service, endpoint, worker);
  return `"${worker}":{"name":"worker-${worker}","subject":${JSON.stringify(subject)},"data":`;
}

/**
 * The body of the `l2c` event in the shape of 0.1.1: endpoints keyed by decimal id, load average and deviation, `null`
 * for both where there is no worker. Nested load is tagged `engine_load_metrics`, as 0.3.2 sent it.
 */
export function l2cText(
  entries: readonly L2cEntry[],
  options: { loadAvg: number; loadStd: number },
): string {
  let endpoints = "";
  for (const { head, load } of entries) {
    const data = load.shape === "nested" ? `{"engine_load_metrics":${loadText(load)}}` : loadText(load);
    endpoints += `${endpoints === "" ? "" : ","}${head}${data}}`;
  }
  return `{"endpoints":{${endpoints}},"load_avg":${floatText(options.loadAvg)},"load_std":${
    floatText(options.loadStd)
  }}`;
}
