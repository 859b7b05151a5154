import type { Program } from "./program.ts";

/** The flag with which Deno lets itself be looked into, on a free port. */
export const INSPECTABLE = "--inspect=127.0.0.1:0";

/** A connection to V8's inspector in a Deno program that was started with `INSPECTABLE`. */
export class Inspector implements Disposable {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  #id = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const { id, result, error } = JSON.parse(data);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiting?.reject(new Error(`the inspector says: ${error.message}`));
      else waiting?.resolve(result ?? {});
    };
  }

  static async of(program: Program): Promise<Inspector> {
    const [, url] = await program.logged(/Debugger listening on (ws:\S+)/);
    const socket = new WebSocket(url!);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return new Inspector(socket);
  }

  /** A method of Chrome's DevTools protocol; rejects when the inspector refuses it. */
  call(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#id;
    const waiting = Promise.withResolvers<Record<string, unknown>>();
    this.#waiting.set(id, waiting);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return waiting.promise;
  }

  /** What an expression is in the program, as JSON has it; rejects when it throws. */
  async evaluate(expression: string): Promise<unknown> {
    const answer = await this.call("Runtime.evaluate", { expression, returnByValue: true });
    if (answer.exceptionDetails) throw new Error(`the program throws at ${expression.slice(0, 60)}`);
    return (answer.result as { value?: unknown }).value;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
