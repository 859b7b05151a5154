import type { Load } from "./load.ts";
import { floatText, loadText } from "./load_text.ts";
import { instanceSubject } from "./subject.ts";
import type { WorkerId } from "./worker_id.ts";

/** One worker of the aggregate: `service` is the name under which it answered. */
export interface L2cEntry {
  readonly worker: WorkerId;
  readonly service: string;
  readonly load: Load;
}

/**
 * The body of the `l2c` event in the shape of 0.1.1: endpoints keyed by decimal id, load average and deviation, `null`
 * for both where there is no worker. Nested load is tagged `engine_load_metrics`, as 0.3.2 sent it.
 */
export function l2cText(
  entries: readonly L2cEntry[],
  options: { endpoint: string; loadAvg: number; loadStd: number },
): string {
  const endpoints = entries.map(({ worker, service, load }) => {
    const subject = instanceSubject(service, options.endpoint, worker);
    const data = load.shape === "nested" ? `{"engine_load_metrics":${loadText(load)}}` : loadText(load);
    return `"${worker}":{"name":"worker-${worker}","subject":${JSON.stringify(subject)},"data":${data}}`;
  });
  return `{"endpoints":{${endpoints.join()}},"load_avg":${floatText(options.loadAvg)},"load_std":${
    floatText(options.loadStd)
  }}`;
}
