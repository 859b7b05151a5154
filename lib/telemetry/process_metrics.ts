import { cpuUsage } from "node:process";
import { Counter, PROCESS_METRICS, type Registry } from "./prom_client.ts";

/** Adds the `process_*` metrics of prom-client to a registry. */
export function addProcessMetrics(registry: Registry): void {
  addCpuMetrics(registry);
  for (const add of PROCESS_METRICS) add(registry);
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
