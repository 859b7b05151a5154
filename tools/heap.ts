import { Inspector } from "./inspector.ts";
import type { Program } from "./program.ts";

/** The memory of a Deno program that was started with `INSPECTABLE`. */
export class Heap implements Disposable {
  private constructor(private readonly inspector: Inspector) {}

  static async of(program: Program): Promise<Heap> {
    return new Heap(await Inspector.of(program));
  }

  /** Bytes in use after all garbage was collected. */
  async usedBytes(): Promise<number> {
    await this.inspector.call("HeapProfiler.collectGarbage");
    const { usedSize } = await this.inspector.call("Runtime.getHeapUsage");
    return usedSize as number;
  }

  [Symbol.dispose](): void {
    this.inspector[Symbol.dispose]();
  }
}
