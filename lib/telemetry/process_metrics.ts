// The package's modules one by one: its `collectDefaultMetrics` would also start Node's own timers and observers for the
// nodejs_* metrics, which say nothing about a Deno program.
// @ts-types="./process_metrics.d.ts"
import processCpuTotal from "prom-client/lib/metrics/processCpuTotal.js";
// @ts-types="./process_metrics.d.ts"
import osMemoryHeap from "prom-client/lib/metrics/osMemoryHeap.js";
// @ts-types="./process_metrics.d.ts"
import processMaxFileDescriptors from "prom-client/lib/metrics/processMaxFileDescriptors.js";
// @ts-types="./process_metrics.d.ts"
import processOpenFileDescriptors from "prom-client/lib/metrics/processOpenFileDescriptors.js";
// @ts-types="./process_metrics.d.ts"
import processStartTime from "prom-client/lib/metrics/processStartTime.js";
import type { Registry } from "prom-client";

/** Adds the `process_*` metrics of prom-client to a registry. */
export function addProcessMetrics(registry: Registry): void {
  processCpuTotal(registry);
  osMemoryHeap(registry);
  processMaxFileDescriptors(registry);
  processOpenFileDescriptors(registry);
  processStartTime(registry);
}
