import { join } from "node:path";
import { findBinary, libraryEnv } from "./servers/binaries.ts";
import { recordUse } from "./servers/used.ts";

export interface TerminalOptions {
  /** 80 and 24 when left out. */
  readonly columns?: number;
  readonly rows?: number;
  /** Of what runs in it, beside our own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What decides about colours in place of the terminal: a CI runner has it, nobody's own shell does. */
const NOT_OF_A_TERMINAL = ["CI", "FORCE_COLOR", "TF_BUILD"];

/** Ends the shell, and with it the terminal, where nobody does. */
const MAX_SECONDS = 300;

/** A real terminal, of tmux, with a shell in it. Its prompt is `$ `. */
export class Terminal implements AsyncDisposable {
  readonly #tmux: string;
  readonly #folder: string;

  private constructor(tmux: string, folder: string) {
    this.#tmux = tmux;
    this.#folder = folder;
  }

  static async open({ columns = 80, rows = 24, env = {} }: TerminalOptions = {}): Promise<Terminal> {
    await recordUse("tmux");
    const terminal = new Terminal(await findBinary("tmux"), await Deno.makeTempDir({ prefix: "terminal-" }));
    const set = Object.entries({ PS1: "$ ", NO_COLOR: "", LC_ALL: "C.UTF-8", ...env }).flatMap((
      [name, value],
    ) => [
      "-e",
      `${name}=${value}`,
    ]);
    const size = ["-x", String(columns), "-y", String(rows)];
    const unset = NOT_OF_A_TERMINAL.map((name) => `-u ${name}`).join(" ");
    const shell = `exec env ${unset} timeout --foreground ${MAX_SECONDS} sh`;
    await terminal.#ask("-f", "/dev/null", "new-session", "-d", ...size, ...set, shell);
    return terminal;
  }

  /** Types a command line that runs `command`, then `then`. */
  async run(command: readonly string[], then = ""): Promise<void> {
    const line = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
    const file = join(this.#folder, "line");
    await Deno.writeTextFile(file, `${line}\n${then}\n`);
    await this.type(`. ${file}`, "Enter");
  }

  /** Presses keys by tmux's names (`Enter`, `Escape`, `C-c`, `Down`); all else is typed as it is. */
  async type(...keys: readonly string[]): Promise<void> {
    await this.#ask("send-keys", ...keys);
  }

  /** What is seen, without spaces at the ends of lines. */
  async screen(): Promise<string> {
    return await this.#ask("capture-pane", "-p");
  }

  /** The same with the sequences that style it. */
  async styledScreen(): Promise<string> {
    return await this.#ask("capture-pane", "-p", "-e");
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#ask("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** Whether the alternate screen is on, and whether the cursor is seen. */
  async modes(): Promise<{ readonly alternate: boolean; readonly cursor: boolean }> {
    const text = await this.#ask("display-message", "-p", "#{alternate_on} #{cursor_flag}");
    const [alternate, cursor] = text.trim().split(" ").map((flag) => flag === "1");
    return { alternate: alternate!, cursor: cursor! };
  }

  /** The processes that the shell has started and that run. */
  async children(): Promise<readonly number[]> {
    const [timeout] = (await this.#ask("display-message", "-p", "#{pane_pid}")).trim().split("\n");
    const ofTimeout = childrenOf(Number(timeout));
    return ofTimeout.flatMap(childrenOf);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ask("kill-server");
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #ask(...args: readonly string[]): Promise<string> {
    const output = await new Deno.Command(this.#tmux, {
      args: ["-u", "-S", join(this.#folder, "socket"), ...args],
      env: { TERM: "xterm-256color", ...libraryEnv(this.#tmux) },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    if (!output.success) throw new Error(`tmux ${args[0]}: ${decoder.decode(output.stderr).trim()}`);
    return decoder.decode(output.stdout);
  }
}

function childrenOf(pid: number): number[] {
  const text = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
  return text.trim().split(" ").filter((word) => word !== "").map(Number);
}
