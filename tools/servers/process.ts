/** A real server as a child process with its own temporary folder and ports. */
import { dirname, join } from "node:path";
import { binaryVersion, findBinary } from "./binaries.ts";
import { LogTail } from "./log_tail.ts";
import { ownedCommand } from "./owned.ts";
import { freePorts } from "./ports.ts";
import { recordUse } from "./used.ts";

/** What every start accepts. */
export interface ServerOptions {
  /** How long a start may take until the server answers. Default 10 s. */
  readonly timeoutMs?: number;
}

/** How long a server may take to end on SIGTERM before SIGKILL. */
const STOP_MS = 3_000;

/** How often a start is tried with other ports when another process was faster. */
const PORT_TRIES = 5;

/**
 * One server: started, stopped, paused and started again on the same ports with the same data. The owner disposes of
 * it, which ends the process and removes its folder. Listens on 127.0.0.1 only.
 */
export abstract class ServerProcess implements AsyncDisposable {
  /** Name of the executable, as `findBinary` knows it. */
  readonly name: string;
  /** Folder of config and data, and the working directory of the server; removed by disposal. */
  readonly dir: string;
  /** See `ServerOptions`. */
  protected readonly timeoutMs: number;
  readonly #log = new LogTail();
  #ports: readonly number[] = [];
  #child: Deno.ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #exit: Deno.CommandStatus | undefined;
  #paused = false;
  #disposed: Promise<void> | undefined;

  /** Makes the folder. Nothing runs until `start()`. */
  protected constructor(name: string, options: ServerOptions) {
    this.name = name;
    this.dir = Deno.makeTempDirSync({ prefix: `${name}-` });
    this.timeoutMs = options.timeoutMs ?? 10_000;
  }

  /** How many ports it listens on. */
  protected abstract readonly portCount: number;
  /** Arguments for the ports in `this.portAt(n)`. */
  protected abstract args(): readonly string[] | Promise<readonly string[]>;
  /** Whether it answers; a rejection means no. Asked again until true. */
  protected abstract isReady(signal: AbortSignal): Promise<boolean>;
  /** Prepares the folder before every launch. */
  protected async beforeStart(): Promise<void> {}
  /** Added to the inherited environment. */
  protected env(): Readonly<Record<string, string>> {
    return {};
  }

  /** Process id. Throws when it is not running. */
  get pid(): number {
    return this.#running().pid;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  /** The last 200 lines it wrote, over all its starts. */
  get logTail(): string {
    return this.#log.text;
  }

  /** Version its executable names. */
  version(): Promise<string> {
    return binaryVersion(this.name);
  }

  /** The n-th port. Throws before the first start. */
  protected portAt(n: number): number {
    const port = this.#ports[n];
    if (port === undefined) throw new Error(`${this.name} has no port ${n} yet`);
    return port;
  }

  /** Wishes for the ports: the first start takes these, and free ones for the rest. */
  protected wishedPorts(): readonly (number | undefined)[] {
    return [];
  }

  /**
   * Starts it and resolves when it answers: the first time on free ports, later on the same ones. Throws, with the
   * end of its log, when it ends or does not answer in time, and when it is running already.
   */
  async start(): Promise<void> {
    if (this.#disposed !== undefined) throw new Error(`Cannot start ${this.name}: it was disposed of`);
    if (this.#child !== undefined) throw new Error(`Cannot start ${this.name}: it is running`);
    const first = this.#ports.length === 0;
    const wished = first ? this.wishedPorts() : [];
    for (let tries = 1;; tries++) {
      if (first) this.#ports = freePorts(this.portCount).map((port, n) => wished[n] ?? port);
      const mark = this.#log.written;
      try {
        await this.#launch();
        await this.#answer();
        await recordUse(this.name);
        return;
      } catch (error) {
        await this.kill();
        const taken = this.#log.since(mark).some((line) => /address already in use/i.test(line));
        const again = first && taken && tries < PORT_TRIES && !wished.some((port) => port !== undefined);
        if (!again) throw error;
      }
    }
  }

  /** SIGTERM, and SIGKILL when that did not end it within 3 s. Does nothing when it is not running. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.resume();
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.#child === child && this.signal("SIGKILL"), STOP_MS);
    try {
      await this.#ended;
    } finally {
      clearTimeout(timer);
    }
  }

  /** SIGKILL, as a crash would end it. Does nothing when it is not running. */
  async kill(): Promise<void> {
    if (this.#child === undefined) return;
    this.signal("SIGKILL");
    await this.#ended;
  }

  /** SIGSTOP: connections stay open and nothing is answered until `resume()`. Resolves when it stands still. */
  async pause(): Promise<void> {
    const { pid } = this.#running();
    this.#paused = true;
    this.signal("SIGSTOP");
    const deadline = performance.now() + 1_000;
    while (this.#paused && performance.now() < deadline && !await isStopped(pid)) await delay(1);
  }

  /** SIGCONT. Does nothing when it is not paused. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.signal("SIGCONT");
  }

  /** Sends a signal. Throws when it is not running. */
  signal(signal: Deno.Signal): void {
    const child = this.#running();
    try {
      child.kill(signal);
    } catch (error) {
      // It ended on its own a moment ago; #ended is about to say so.
      if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Ends the process and removes its folder. May be called more than once. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= (async () => {
      await this.stop();
      await Deno.remove(this.dir, { recursive: true });
    })();
    return this.#disposed;
  }

  /** Writes files into the folder, relative path → text. */
  protected writeFiles(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.dir, name);
      Deno.mkdirSync(dirname(path), { recursive: true });
      Deno.writeTextFileSync(path, text);
    }
  }

  /** Number of lines logged so far, to be given to `logSince`. */
  protected logMark(): number {
    return this.#log.written;
  }

  /** Lines logged after the mark. */
  protected logSince(mark: number): readonly string[] {
    return this.#log.since(mark);
  }

  async #launch(): Promise<void> {
    await this.beforeStart();
    const path = await findBinary(this.name);
    const { command, ...owned } = ownedCommand(path, await this.args());
    const child = new Deno.Command(command, {
      ...owned,
      cwd: this.dir,
      env: { ...this.env() },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    this.#exit = undefined;
    this.#paused = false;
    this.#ended = Promise.all([child.status, this.#log.read(child.stdout), this.#log.read(child.stderr)])
      .then(([status]) => {
        this.#exit = status;
        this.#child = undefined;
        this.#paused = false;
      });
  }

  async #answer(): Promise<void> {
    const deadline = performance.now() + this.timeoutMs;
    for (let pauseMs = 5;; pauseMs = Math.min(100, pauseMs * 1.5)) {
      const leftMs = deadline - performance.now();
      if (this.#child !== undefined && leftMs > 0) {
        const ready = await this.isReady(AbortSignal.timeout(Math.min(1_000, leftMs))).catch(() => false);
        if (ready && this.#child !== undefined) return;
      }
      if (this.#child === undefined) {
        const how = this.#exit?.signal ?? `exit code ${this.#exit?.code}`;
        throw new Error(`${this.name} ended before it answered (${how}); its log ends:\n${this.logTail}`);
      }
      if (leftMs <= 0) {
        throw new Error(
          `${this.name} does not answer after ${this.timeoutMs / 1_000} s; its log ends:\n${this.logTail}`,
        );
      }
      await Promise.race([delay(Math.min(pauseMs, leftMs)), this.#ended]);
    }
  }

  #running(): Deno.ChildProcess {
    if (this.#child === undefined) throw new Error(`${this.name} is not running`);
    return this.#child;
  }
}

/** Starts a server made a moment ago, and disposes of it when that fails. */
export async function started<Server extends ServerProcess>(server: Server): Promise<Server> {
  try {
    await server.start();
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** True when an HTTP address answers 2xx. */
export async function answersOk(url: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(url, { signal });
  await response.body?.cancel();
  return response.ok;
}

/** Whether Linux shows the process as stopped; true where that cannot be read. */
async function isStopped(pid: number): Promise<boolean> {
  try {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
  } catch {
    return true;
  }
}

/** Resolves after `ms`: the pause between two looks, never a wait for readiness. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
