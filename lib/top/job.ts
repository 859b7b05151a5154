/** What proc_pid_stat(5) says of a process and its terminal. */
interface Job {
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** The group that its terminal belongs to now. */
  readonly foreground: number;
}

/** Undefined where the system does not say, as on macOS, or we may not ask. */
function jobOf(pid: number | "self"): Job | undefined {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The second field is the command, with any characters, in brackets.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ").map(Number);
    const [, parent = 0, group = 0, session = 0, , foreground = 0] = fields;
    return { parent, group, session, foreground };
  } catch {
    return undefined;
  }
}

/** Whether the terminal is ours to change. */
export function isInForeground(): boolean {
  const own = jobOf("self");
  return own === undefined || own.foreground === own.group;
}

/** Whether there is a shell that can let us go on once we are stopped: else Ctrl-Z would be the end. */
function hasShell(): boolean {
  const own = jobOf("self");
  if (own === undefined) return Deno.build.os !== "linux";
  const leader = jobOf(own.group);
  const shell = leader && jobOf(leader.parent);
  return shell !== undefined && shell.session === own.session && shell.group !== own.group;
}

export interface JobOptions {
  /** Gives the terminal back. */
  readonly onStop: () => Promise<void>;
  /** Takes it again. Also after a stop that nobody was told of, by SIGSTOP. */
  readonly onContinue: () => void;
  readonly signal: AbortSignal;
}

/** An order to end that came while we were stopped is heard first. */
const ORDERS_MS = 50;

/** Stops and goes on as a shell's jobs do, on Ctrl-Z, `kill -TSTP`, `kill -STOP`, `fg` and `bg`, until disposed of. */
export class JobControl implements Disposable {
  readonly #options: JobOptions;
  readonly #listeners: readonly (readonly [Deno.Signal, () => void])[];

  constructor(options: JobOptions) {
    this.#options = options;
    this.#listeners = Deno.build.os === "windows" ? [] : [
      ["SIGTSTP", () => void this.#stop()],
      ["SIGCONT", () => void setTimeout(() => this.#goOn(), ORDERS_MS)],
    ];
    for (const [name, listener] of this.#listeners) Deno.addSignalListener(name, listener);
  }

  /** Stops all that was started with us, as a terminal does at Ctrl-Z when it is not read key by key. */
  stopAll(): void {
    try {
      Deno.kill(0, "SIGTSTP");
    } catch {
      // We may not send signals, as in our image, where there is no shell either.
    }
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) Deno.removeSignalListener(name, listener);
  }

  async #stop(): Promise<void> {
    if (!hasShell()) return;
    await this.#options.onStop();
    stopSelf();
  }

  #goOn(): void {
    if (this.#options.signal.aborted) return;
    if (isInForeground()) this.#options.onContinue();
    else stopSelf();
  }
}

/** SIGTSTP would be heard again. */
function stopSelf(): void {
  Deno.kill(Deno.pid, "SIGSTOP");
}
