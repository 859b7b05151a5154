import process from "node:process";
import { createInterface } from "node:readline";
import { ownedCommand } from "../tools/servers/owned.ts";

/** One of the benchmark's own programs as a child: a line goes in, a line of JSON comes back. It ends with its owner. */
export class Child implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;
  readonly #script: string;

  /** @param script below bench/; `options` go to it as JSON, its only argument */
  constructor(script: string, options: object) {
    const path = new URL(script, import.meta.url).href;
    const args = ["run", "-A", "--no-check", path, JSON.stringify(options)];
    const { command, ...owned } = ownedCommand(Deno.execPath(), args);
    this.#script = script;
    this.#child = new Deno.Command(command, {
      ...owned,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#lines = lines(this.#child.stdout);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Sends a line, and gives what is answered. Questions must not overlap. @throws when the program has ended */
  async ask<Answer>(line = ""): Promise<Answer> {
    try {
      await this.#input.write(new TextEncoder().encode(`${line}\n`));
      const { value } = await this.#lines.next();
      if (value !== undefined) return JSON.parse(value);
    } catch (cause) {
      throw new Error(`${this.#script} does not answer`, { cause });
    }
    throw new Error(`${this.#script} has ended`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#child.status;
    await this.#input.abort().catch(() => {});
    await this.#lines.return?.();
  }
}

/** The other side: answers each line that comes with what `answer` makes of it, until there are no more. */
export async function answerLines(answer: (line: string) => unknown): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
  }
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}
