// The package's modules one by one: its index also loads its Pushgateway, cluster and summaries, a tenth of all that a start
// takes. Its `collectDefaultMetrics` would start Node's own timers and observers for the nodejs_* metrics, which say nothing
// about a Deno program.
import type * as PromClient from "prom-client";
// @ts-types="./prom_client_part.d.ts"
import counter from "prom-client/lib/counter.js";
// @ts-types="./prom_client_part.d.ts"
import gauge from "prom-client/lib/gauge.js";
// @ts-types="./prom_client_part.d.ts"
import histogram from "prom-client/lib/histogram.js";
// @ts-types="./prom_client_part.d.ts"
import osMemoryHeap from "prom-client/lib/metrics/osMemoryHeap.js";
// @ts-types="./prom_client_part.d.ts"
import processMaxFileDescriptors from "prom-client/lib/metrics/processMaxFileDescriptors.js";
// @ts-types="./prom_client_part.d.ts"
import processOpenFileDescriptors from "prom-client/lib/metrics/processOpenFileDescriptors.js";
// @ts-types="./prom_client_part.d.ts"
import processStartTime from "prom-client/lib/metrics/processStartTime.js";
// @ts-types="./prom_client_part.d.ts"
import registry from "prom-client/lib/registry.js";

export const Counter = counter as typeof PromClient.Counter;
export const Gauge = gauge as typeof PromClient.Gauge;
export const Histogram = histogram as typeof PromClient.Histogram;
export const Registry = registry as typeof PromClient.Registry;
export type Counter = PromClient.Counter;
export type Gauge = PromClient.Gauge;
export type Histogram = PromClient.Histogram;
export type Registry = PromClient.Registry;

/** Each adds `process_*` metrics to a registry. */
export const PROCESS_METRICS = [
  osMemoryHeap,
  processMaxFileDescriptors,
  processOpenFileDescriptors,
  processStartTime,
] as readonly ((registry: Registry) => void)[];
