import assert from "node:assert/strict";
import { ownCommand } from "../../tools/program.ts";
import { Terminal, type TerminalOptions } from "../../tools/terminal.ts";
import { eventually } from "../helpers/eventually.ts";

export const NAMED = ["--component", "my_component", "--endpoint", "my_endpoint"];
export const QUICK = ["--poll-interval", "0.2", "--stale-after", "0.6", "--no-etcd"];
/** What the shell says of its terminal after the program, on one line. */
export const AFTER = `echo "ended $?" $(stty -a | grep -owE -e '-?(icanon|echo|isig)')`;
export const SANE = /^ended 0 isig icanon echo$/m;

/** `metrics top` in a terminal, and then a line for the shell. */
export async function openTop(
  args: readonly string[],
  { then = AFTER, ...options }: TerminalOptions & { readonly then?: string } = {},
): Promise<Terminal> {
  const terminal = await Terminal.open(options);
  await terminal.run(ownCommand("main.ts", ["top", ...args]), then);
  return terminal;
}

/** Waits until the screen has all of these, and gives it. */
export async function seen(terminal: Terminal, ...patterns: readonly RegExp[]): Promise<string> {
  return await eventually(async () => {
    const screen = await terminal.screen();
    for (const pattern of patterns) assert.match(screen, pattern);
    return screen;
  }, { timeoutMs: 15_000 });
}

/** Waits until the shell has its terminal back as it was. */
export async function assertRestored(terminal: Terminal): Promise<void> {
  const screen = await seen(terminal, SANE);
  assert.doesNotMatch(screen, /WORKER/);
  assert.deepEqual(await terminal.modes(), { alternate: false, cursor: true });
}
