import { ownedCommand } from "./servers/owned.ts";
import { V8_FLAGS } from "./v8_flags.ts";

/** How a program is started: what runs, and with which variables beside our own. */
export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The folder it runs in; ours by default. */
  readonly cwd?: string;
  /** Shown what it logs, as it comes. */
  readonly onLog?: (text: string) => void;
  /** How long it may take to end when it is told to, before SIGKILL; for ever by default. */
  readonly patienceMs?: number;
}

/** How long a program may take to say what is waited for. */
const PATIENCE_MS = 300_000;

/** A running program whose log (stderr) is kept. It ends with its owner, and a Ctrl-C in the terminal is not for it. */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #options: ProgramOptions;
  readonly #reading: Promise<void>;
  readonly #waiting = new Set<() => void>();
  #log = "";
  #ended = false;

  constructor(options: ProgramOptions) {
    this.#options = options;
    const { command, ...owned } = ownedCommand(options.command, options.args);
    this.#child = new Deno.Command(command, {
      ...owned,
      ...(options.env && { env: { ...options.env } }),
      ...(options.cwd && { cwd: options.cwd }),
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#reading = this.#read();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Whether it has ended, told to or not. */
  get ended(): boolean {
    return this.#ended;
  }

  /** All that it said so far. */
  get log(): string {
    return this.#log;
  }

  /** The first match in the log, now or as soon as it comes; rejects when the program ends without one, or after five minutes. */
  async logged(pattern: RegExp): Promise<RegExpExecArray> {
    const endMs = performance.now() + PATIENCE_MS;
    while (true) {
      const match = pattern.exec(this.#log);
      if (match) return match;
      if (this.#ended || performance.now() >= endMs) {
        const how = this.#ended ? "ended" : "went on for five minutes";
        throw new Error(`${this.#options.command} ${how} without saying ${pattern}:\n${this.#log}`);
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      const timer = setTimeout(resolve, endMs - performance.now());
      await promise;
      clearTimeout(timer);
    }
  }

  /** Tells it to end; gives the exit code. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    this.#kill(signal, "SIGCONT"); // It may have been stopped.
    const { patienceMs } = this.#options;
    const timer = patienceMs && setTimeout(() => this.#kill("SIGKILL"), patienceMs);
    const { code } = await this.#child.status;
    clearTimeout(timer);
    await this.#reading;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #kill(...signals: readonly Deno.Signal[]): void {
    if (this.#ended) return;
    try {
      for (const signal of signals) this.#child.kill(signal);
    } catch {
      // It ended by itself meanwhile.
    }
  }

  async #read(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#log += text;
      this.#options.onLog?.(text);
      this.#wake();
    }
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** The command line of one of this project's programs, with the memory of an executable; `denoFlags` stand before the script. */
export function ownCommand(
  file: "main.ts" | "mock_worker.ts",
  args: readonly string[],
  denoFlags: readonly string[] = [],
): string[] {
  const path = new URL(`../${file}`, import.meta.url).href;
  return [Deno.execPath(), "run", "-A", "--no-check", V8_FLAGS, ...denoFlags, path, ...args];
}

/** One of this project's programs, running. */
export function ownProgram(
  file: "main.ts" | "mock_worker.ts",
  options: Omit<ProgramOptions, "command"> & { readonly denoFlags?: readonly string[] },
): Program {
  const { denoFlags, args, ...more } = options;
  const [command = "", ...line] = ownCommand(file, args, denoFlags);
  return new Program({ ...more, command, args: line });
}

/** Where `metrics` says that its page is, once it does. */
export async function servedUrl(metrics: Program): Promise<string> {
  const [, address] = await metrics.logged(/metrics server started at (\S+)\/metrics/);
  return `http://${address}`;
}
