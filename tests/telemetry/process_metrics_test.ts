import assert from "node:assert/strict";
// @ts-types="../../lib/telemetry/prom_client_part.d.ts"
import processCpuTotal from "prom-client/lib/metrics/processCpuTotal.js";
import { addProcessMetrics } from "../../lib/telemetry/process_metrics.ts";
import { Registry } from "../../lib/telemetry/prom_client.ts";

const CPU = /^process_cpu_/;

async function cpuFamilies(add: (registry: Registry) => void) {
  const registry = new Registry();
  add(registry);
  const families = await registry.getMetricsAsJSON();
  return families.filter(({ name }) => CPU.test(name)).map(({ name, help, type }) => ({ name, help, type }));
}

Deno.test("the families of the CPU's time are those of prom-client's own module", async () => {
  const families = await cpuFamilies(addProcessMetrics);
  assert.equal(families.length, 3);
  assert.deepEqual(families, await cpuFamilies(processCpuTotal as typeof addProcessMetrics));
});

Deno.test("the CPU's time is what the process spent since it was first looked at, user's and system's", async () => {
  const registry = new Registry();
  addProcessMetrics(registry);
  const seconds = async () => {
    const families = await registry.getMetricsAsJSON() as unknown as {
      name: string;
      values: { value: number }[];
    }[];
    const of = (name: string) => families.find((family) => family.name === name)!.values[0]!.value;
    return {
      user: of("process_cpu_user_seconds_total"),
      system: of("process_cpu_system_seconds_total"),
      both: of("process_cpu_seconds_total"),
    };
  };
  const before = await seconds();
  for (let n = 0; n < 20; n++) new Uint8Array(1_000_000).map((_, at) => Math.sqrt(at));
  const after = await seconds();
  assert.ok(after.user > before.user);
  assert.ok(after.system >= before.system);
  assert.ok(Math.abs(after.both - after.user - after.system) < 1e-9);
});
