import type { Program } from "./program.ts";

/** The flag with which Deno lets itself be looked into, on a free port. */
export const INSPECTABLE = "--inspect=127.0.0.1:0";

/** Looks into a Deno program that was started with `INSPECTABLE`, by V8's inspector. */
export class Heap implements Disposable {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: Record<string, unknown>) => void>();
  #id = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const { id, result } = JSON.parse(data);
      this.#waiting.get(id)?.(result ?? {});
      this.#waiting.delete(id);
    };
  }

  static async of(program: Program): Promise<Heap> {
    const [, url] = await program.logged(/Debugger listening on (ws:\S+)/);
    const socket = new WebSocket(url!);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return new Heap(socket);
  }

  /** Bytes in use after all garbage was collected. */
  async usedBytes(): Promise<number> {
    await this.#call("HeapProfiler.collectGarbage");
    const { usedSize } = await this.#call("Runtime.getHeapUsage");
    return usedSize as number;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #call(method: string): Promise<Record<string, unknown>> {
    const id = ++this.#id;
    this.#socket.send(JSON.stringify({ id, method }));
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }
}
