import { cpuUsage } from "node:process";
// The package's modules one by one: its `collectDefaultMetrics` would also start Node's own timers and observers for the
// nodejs_* metrics, which say nothing about a Deno program.
// @ts-types="./process_metrics.d.ts"
import osMemoryHeap from "prom-client/lib/metrics/osMemoryHeap.js";
// @ts-types="./process_metrics.d.ts"
import processMaxFileDescriptors from "prom-client/lib/metrics/processMaxFileDescriptors.js";
// @ts-types="./process_metrics.d.ts"
import processOpenFileDescriptors from "prom-client/lib/metrics/processOpenFileDescriptors.js";
// @ts-types="./process_metrics.d.ts"
import processStartTime from "prom-client/lib/metrics/processStartTime.js";
import { Counter, type Registry } from "./prom_client.ts";

/** Adds the `process_*` metrics of prom-client to a registry. */
export function addProcessMetrics(registry: Registry): void {
  addCpuMetrics(registry);
  osMemoryHeap(registry);
  processMaxFileDescriptors(registry);
  processOpenFileDescriptors(registry);
  processStartTime(registry);
}

/** As prom-client's processCpuTotal.js, which loads OpenTelemetry, slowly, for exemplars that no page shows. */
function addCpuMetrics(registry: Registry): void {
  const registers = [registry];
  let last = cpuUsage();
  new Counter({
    name: "process_cpu_user_seconds_total",
    help: "Total user CPU time spent in seconds.",
    registers,
    collect() { // The first of the three that is collected counts for all.
      const now = cpuUsage();
      this.inc((now.user - last.user) / 1e6);
      system.inc((now.system - last.system) / 1e6);
      both.inc((now.user - last.user + now.system - last.system) / 1e6);
      last = now;
    },
  });
  const system = new Counter({
    name: "process_cpu_system_seconds_total",
    help: "Total system CPU time spent in seconds.",
    registers,
  });
  const both = new Counter({
    name: "process_cpu_seconds_total",
    help: "Total user and system CPU time spent in seconds.",
    registers,
  });
}
