import type { Measure, Unit } from "../../bench/measure.ts";
import type { BenchResults } from "../../bench/results.ts";

/** A measure with these repeats. */
export function measure(name: string, values: readonly number[], unit: Unit = "ms"): Measure {
  return { name, unit, values };
}

/** A run that measured these, in one row. */
export function run(measures: readonly Measure[], more: Partial<BenchResults> = {}): BenchResults {
  return {
    startedAt: "2026-11-24T17:16:40.504Z",
    commit: "c73a7b28f89a",
    dirty: false,
    quick: false,
    machine: {
      cpu: "AMD EPYC",
      cores: 2,
      memoryGib: 23.5,
      kernel: "linux 6.18 x86_64",
      deno: "2.9.6",
      v8: "15.0",
      natsServer: "2.9.10",
      loadBefore: 0.12,
    },
    rows: {
      row: { measures, cpu: { program: 41.3, fleet: 0.2 }, remarks: ["a remark"], profile: ["1.0 ms here"] },
    },
    ...more,
  };
}
