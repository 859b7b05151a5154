import type { Load } from "./load.ts";
import { JsonBytes } from "./json_bytes.ts";
import { floatText, writeLoad } from "./load_text.ts";
import { instanceSubject } from "./subject.ts";
import type { WorkerId } from "./worker_id.ts";

/** No worker takes fewer bytes of the event. */
export const L2C_MIN_BYTES = 150;

/** What the event says of a worker before its load, the same in each: `service` is the name under which it answered. */
export function l2cHead(
  worker: WorkerId,
  { service, endpoint }: { service: string; endpoint: string },
): Uint8Array {
  const subject = instanceSubject(service, endpoint, worker);
  return encoder.encode(
    `"${worker}":{"name":"worker-${worker}","subject":${JSON.stringify(subject)},"data":`,
  );
}

/**
 * Writes the body of the `l2c` event in the shape of 0.1.1: endpoints keyed by decimal id, load average and deviation,
 * `null` for both where there is no worker. Nested load is tagged `engine_load_metrics`, as 0.3.2 sent it.
 */
export class L2cWriter {
  readonly #json = new JsonBytes();
  #isFirst = true;

  /** Writes one worker; `head` is its `l2cHead`. */
  add(head: Uint8Array, load: Load): void {
    this.#json.text(this.#isFirst ? '{"endpoints":{' : ",");
    this.#isFirst = false;
    this.#json.put(head);
    const isNested = load.shape === "nested";
    if (isNested) this.#json.text('{"engine_load_metrics":');
    writeLoad(this.#json, load);
    this.#json.text(isNested ? "}}" : "}");
  }

  /** The whole event; the next begins. */
  end({ loadAvg, loadStd }: { readonly loadAvg: number; readonly loadStd: number }): Uint8Array {
    const start = this.#isFirst ? '{"endpoints":{' : "";
    this.#json.text(`${start}},"load_avg":${floatText(loadAvg)},"load_std":${floatText(loadStd)}}`);
    this.#isFirst = true;
    return this.#json.take();
  }
}

const encoder = new TextEncoder();
