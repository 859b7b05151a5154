import assert from "node:assert/strict";
import { ownCommand } from "../../tools/program.ts";
import { Terminal } from "../../tools/terminal.ts";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { NAMED, openTop, QUICK, seen } from "./top_terminal.ts";

const SHOWN = [/^Workers 2 {2}2 responding/m, /^ q quit /m];

/** The terminal is the shell's as it was: what that is told is seen, and it answers. */
async function assertShell(terminal: Terminal, word: string): Promise<void> {
  await eventually(async () => assert.deepEqual(await terminal.modes(), { alternate: false, cursor: true }));
  await terminal.type(`echo ${word}-$((6*7))`, "Enter");
  await seen(terminal, new RegExp(`${word}-42$`, "m"));
}

/** The screen is whole, and keys are heard. */
async function assertTop(terminal: Terminal): Promise<void> {
  await seen(terminal, ...SHOWN);
  assert.deepEqual(await terminal.modes(), { alternate: true, cursor: false });
  await terminal.type("/", "respond");
  await seen(terminal, /^Filter: respond/m);
  await terminal.type("Escape");
  await seen(terminal, ...SHOWN);
}

async function signalled(terminal: Terminal, ...signals: readonly Deno.Signal[]): Promise<void> {
  const [top] = await terminal.children();
  for (const signal of signals) Deno.kill(top!, signal);
}

Deno.test("Ctrl-Z and SIGTSTP give the terminal to the shell, and fg gives it back with the whole screen and its keys", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  deployment.play(2);
  await using terminal = await openTop(["--url", deployment.metrics.url], { then: "" });
  await assertTop(terminal);
  const stops = [
    () => terminal.type("C-z"),
    () => signalled(terminal, "SIGTSTP"),
    () => terminal.type("C-z"),
  ];
  for (const [n, stop] of stops.entries()) {
    await stop();
    await assertShell(terminal, `stopped${n}`);
    await terminal.type("fg", "Enter");
    await assertTop(terminal);
  }
  await terminal.type("q");
  await assertShell(terminal, "ended");
});

Deno.test("after SIGSTOP, which nobody is told of, fg gives the whole screen and its keys", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  deployment.play(2);
  await using terminal = await openTop(["--url", deployment.metrics.url], { then: "" });
  await assertTop(terminal);
  await signalled(terminal, "SIGSTOP");
  await seen(terminal, /^\[1\] \+ Stopped/m);
  // Enter sends what the shell's terminal is no longer told to take for the end of a line.
  await terminal.type("stty sane", "C-j");
  await terminal.type("echo shell-$((6*7))", "C-j");
  await seen(terminal, /shell-42/);
  await terminal.type("fg", "Enter");
  await assertTop(terminal);
  await terminal.type("q");
  await assertShell(terminal, "ended");
});

Deno.test("bg leaves it stopped, and one that was told to end while it was stopped ends with fg", async () => {
  await using terminal = await openTop([...NAMED, ...QUICK], {
    env: { NATS_SERVER: "nats://127.0.0.1:1" },
    then: "",
  });
  await seen(terminal, /^NATS away /m, /^ q quit /m);
  await terminal.type("C-z");
  await assertShell(terminal, "stopped");
  const [top] = await terminal.children();
  const isStopped = () => assert.match(Deno.readTextFileSync(`/proc/${top}/stat`), /\) T /);
  isStopped();
  await terminal.type("bg", "Enter");
  await assertShell(terminal, "background");
  await eventually(isStopped);
  await terminal.type("kill %1; fg; echo ended-$?", "Enter");
  await seen(terminal, /^ended-0$/m);
  await assertShell(terminal, "killed");
});

Deno.test("where no shell could let it go on, Ctrl-Z stops nothing", async () => {
  await using terminal = await Terminal.open({ env: { NATS_SERVER: "nats://127.0.0.1:1" } });
  const top = ownCommand("main.ts", ["top", ...NAMED, ...QUICK]);
  await terminal.run(["exec", ...top]);
  await seen(terminal, /^NATS away /m, /^ q quit /m);
  await terminal.type("C-z", "/", "still");
  await seen(terminal, /^Filter: still/m);
});
