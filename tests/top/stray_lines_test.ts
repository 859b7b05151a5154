import assert from "node:assert/strict";
import type { Terminal } from "../../tools/terminal.ts";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { openTop, seen } from "./top_terminal.ts";

/** What the whole screen is, but for numbers: they change by themselves. */
const WHOLE = [
  /^dynamo\/my_component\/my_endpoint .* seq #, #s ago\nNATS connected {2}round # ms, # answered\nWorkers # /,
  /^KV .*\nSlots .*\nLoad .*\nWaiting .*\n {2}WORKER.* KV .*\n> #+ +responding .*\n {2}#+ +responding .*\n\n/m,
  /\n q quit {2}\/ filter .* #-# of #\n$/,
];

/** Writes to the terminal, as another program does that runs in it. */
async function writeInto(terminal: Terminal, text: string): Promise<void> {
  const [top] = await terminal.children();
  const tty = await Deno.readLink(`/proc/${top}/fd/1`);
  await Deno.writeTextFile(tty, text, { append: true });
}

async function assertWhole(terminal: Terminal, timeoutMs: number): Promise<void> {
  await eventually(async () => {
    const screen = (await terminal.screen()).replace(/[\d.]+/g, "#");
    for (const pattern of WHOLE) assert.match(screen, pattern);
    assert.doesNotMatch(screen, /stray/);
  }, { timeoutMs });
}

/** What others write: lines, a whole screen of them, and sequences that leave the terminal in another state. */
const STRAY: readonly [what: string, text: string][] = [
  ["a line", "stray: done\n"],
  ["a line without an end", "stray"],
  ["more lines than the screen has", "stray line\n".repeat(40)],
  ["a line somewhere else, in colours and other letters", "\x1b[12;30H\x1b[7;31m\x1b(0stray\n"],
  ["a region that scrolls", "\x1b[5;10r\x1b[10;1Hstray\nstray\nstray\n"],
];

Deno.test("whatever others write to the terminal is gone within five seconds, by itself, and at once with Ctrl-L", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  deployment.play(2);
  await using terminal = await openTop(["--url", deployment.metrics.url]);
  await seen(terminal, /^Workers 2 {2}2 responding/m);
  await assertWhole(terminal, 5_000);
  for (const [what, text] of STRAY) {
    await writeInto(terminal, text);
    await seen(terminal, /stray/);
    const strayMs = performance.now();
    await assertWhole(terminal, 5_000);
    assert.ok(performance.now() - strayMs < 5_000, what);
  }
  for (const [what, text] of STRAY) {
    await writeInto(terminal, text);
    await terminal.type("C-l");
    const askedMs = performance.now();
    await assertWhole(terminal, 2_000);
    assert.ok(performance.now() - askedMs < 2_000, what);
  }
});
