import assert from "node:assert/strict";
import { ownCommand, ownProgram } from "../../tools/program.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { Terminal } from "../../tools/terminal.ts";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { startMetrics } from "../helpers/metrics_process.ts";
import { AFTER, assertRestored, NAMED, openTop, QUICK, SANE, seen } from "./top_terminal.ts";

/** The ids in the table, from the top. */
function idsOf(screen: string): string[] {
  return [...screen.matchAll(/^[> ] (…?\d+) +(?:responding|silent)/gm)].map(([, id]) => id!);
}

Deno.test("workers are seen with bars, keys sort, filter and open, a killed worker is silent, and q gives the terminal back", async () => {
  await using nats = await startNats();
  const env = { NATS_SERVER: nats.url };
  const mock = (workers: string, seed: string) =>
    ownProgram("mock_worker.ts", {
      args: ["--no-etcd", "--workers", workers, "--seed", seed, "--steady"],
      env,
    });
  await using _stays = mock("2", "1");
  await using killed = mock("1", "2");
  await using terminal = await openTop([...NAMED, ...QUICK], { env });
  const first = await seen(
    terminal,
    /^Workers 3 {2}3 responding/m,
    /^NATS connected {2}round \d+ ms, 3 answered/m,
  );
  assert.match(first, /^> \d+ +responding +[█▏▎▍▌▋▊▉]+·* +\d+% +[█▏▎▍▌▋▊▉]+·* +\d+% +\d+ +\d\.\ds/m);
  assert.deepEqual(await terminal.modes(), { alternate: true, cursor: false });
  const ids = idsOf(first);
  assert.equal(ids.length, 3);

  const usesOf = (screen: string) =>
    [...screen.matchAll(/responding +\S+ +(\d+)%/g)].map(([, percent]) => Number(percent));
  assert.deepEqual(usesOf(first), usesOf(first).toSorted((a, b) => b - a));
  await terminal.type("s", "r");
  const byUse = await seen(terminal, / KV▲ /);
  assert.deepEqual(usesOf(byUse), usesOf(first).toReversed());
  await terminal.type(..."ssssssss", "r");
  const turned = await seen(terminal, /WORKER▼/);
  assert.deepEqual(idsOf(turned), ids.toSorted((a, b) => BigInt(a) < BigInt(b) ? 1 : -1));

  await killed.stop("SIGKILL");
  await seen(
    terminal,
    /^Worker …\d{6} is silent, last seen \S+ ago {2}worker_silent$/m,
    /^[> ] \d+ +silent +– /m,
  );
  await terminal.type("/", "sil");
  const filtered = await seen(terminal, /^Filter: sil/m, / 1-1 of 1$/m);
  assert.equal(idsOf(filtered).length, 1);
  await terminal.type("Enter", "Enter");
  await seen(terminal, new RegExp(`^Worker ${idsOf(filtered)[0]} {2}silent$`, "m"), /^Seen by/m);
  await terminal.type("Escape");
  await seen(terminal, / "sil" /);
  await terminal.type("Escape");
  await seen(terminal, / 1-3 of 3$/m);
  await terminal.type("q");
  await assertRestored(terminal);
});

for (
  const [what, end] of [
    ["Ctrl-C", (terminal: Terminal) => terminal.type("C-c")],
    ["Ctrl-\\", (terminal: Terminal) => terminal.type("C-\\")],
    ["SIGHUP", (terminal: Terminal) => signalled(terminal, "SIGHUP")],
    ["SIGINT", (terminal: Terminal) => signalled(terminal, "SIGINT")],
    ["SIGQUIT", (terminal: Terminal) => signalled(terminal, "SIGQUIT")],
    ["SIGTERM", (terminal: Terminal) => signalled(terminal, "SIGTERM")],
  ] as const
) {
  Deno.test(`${what} ends metrics top with 0 and gives the terminal back, while nothing is there`, async () => {
    await using terminal = await openTop([...NAMED, ...QUICK], {
      env: { NATS_SERVER: "nats://127.0.0.1:1" },
    });
    await seen(terminal, /^NATS is not connected: .*refused.* {2}nats_disconnected$/m, /^No workers$/m);
    await end(terminal);
    await assertRestored(terminal);
  });
}

Deno.test("a terminal that closes ends metrics top with 0, and its log names the signal", async () => {
  await using ends = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  ends.defer(() => Deno.remove(folder, { recursive: true }));
  const terminal = await Terminal.open({ env: { NATS_SERVER: "nats://127.0.0.1:1" } });
  const top = ownCommand("main.ts", ["top", ...NAMED, ...QUICK]);
  // The shell hears the signal too, and must live to tell the code; what it runs hears it by itself.
  const shell = 'trap : HUP; cd "$0"; "$@" 2>log; echo $? >code';
  await terminal.run(["sh", "-c", shell, folder, ...top]);
  await seen(terminal, /^NATS away /m, /^ q quit /m);
  await terminal[Symbol.asyncDispose]();
  await eventually(async () => assert.equal(await Deno.readTextFile(`${folder}/code`), "0\n"));
  const log = await Deno.readTextFile(`${folder}/log`);
  assert.deepEqual(log.match(/Received a signal.*/g), ["Received a signal, ending gracefully signal=SIGHUP"]);
});

async function signalled(terminal: Terminal, signal: Deno.Signal): Promise<void> {
  const [top] = await terminal.children();
  Deno.kill(top!, signal);
}

Deno.test("a resize is followed, down to a terminal that is too small for everything", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  deployment.play(30);
  await using terminal = await openTop(["--url", deployment.metrics.url]);
  const rows = async (columns: number, rows: number, count: number, titles: RegExp) => {
    await terminal.resize(columns, rows);
    await eventually(async () => {
      const lines = (await terminal.screen()).split("\n");
      assert.match(lines.find((line) => line.includes("WORKER")) ?? "", titles);
      assert.equal(idsOf(lines.join("\n")).length, count);
      assert.match(lines[rows - 1]!, new RegExp(`^ q quit .*1-${count} of 30$`));
      assert.ok(lines.every((line) => [...line].length <= columns));
    });
  };
  await rows(80, 24, 15, /KV +SLOTS +WAIT +AGE/);
  await rows(160, 50, 30, /KV +BLOCKS +SLOTS +ACTIVE +WAIT/);
  await rows(60, 12, 6, /STATE▼ +KV +WAIT +AGE$/);
  await rows(40, 12, 6, /WORKER {4}STATE▼ +KV$/);
  await terminal.type("G");
  await seen(terminal, / 25-30 of 30$/m, /^> /m);
});

Deno.test("a server that is lost is said, what it told is greyed, and it is seen again when it is back", async () => {
  const args = [...NAMED, "--no-etcd"];
  const env = { NATS_SERVER: "nats://127.0.0.1:1" };
  const first = await startMetrics({ args, env });
  const { port } = new URL(first.url);
  await using terminal = await openTop(["--url", first.url]);
  await seen(terminal, /^No workers$/m, / seq \d+, /);
  await first.stop();
  await seen(terminal, / LOST, last told \S+ ago$/m, /^Trying again: /m);
  // deno-lint-ignore no-control-regex -- tmux's word for the colour gray
  assert.match(await terminal.styledScreen(), /\x1b\[90mWorkers 0/);
  await using _again = ownProgram("main.ts", { args: [...args, "--host", "127.0.0.1", "--port", port], env });
  await seen(terminal, / seq \d+, /);
  await terminal.type("q");
  await assertRestored(terminal);
});

Deno.test("the address of a worker's page opens that worker, and Esc leads to all of them", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  deployment.play(2);
  const { url } = deployment.metrics;
  const id = await eventually(async () => {
    const { targets } = await (await fetch(`${url}/api/v1/fleet`)).json();
    assert.equal(targets[0].workers.length, 2);
    return targets[0].workers[1].id as string;
  });
  await using terminal = await openTop(["--url", `${url}/#/worker/${id}`]);
  await seen(terminal, new RegExp(`^Worker ${id} {2}responding$`, "m"), /^Seen by/m);
  await terminal.type("Escape");
  await seen(terminal, / 1-2 of 2$/m);
});

Deno.test("there are colours, and none with NO_COLOR", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  deployment.play(2);
  // deno-lint-ignore no-control-regex -- a colour; 39 and 49 are none
  const color = /\x1b\[(?:[\d;]*;)?(?:3[0-8]|4[0-8]|9\d|10\d)[;m]/;
  for (const [NO_COLOR, is] of [["", true], ["1", false]] as const) {
    await using terminal = await openTop(["--url", deployment.metrics.url], { env: { NO_COLOR } });
    await seen(terminal, /^Workers 2 {2}2 responding/m);
    assert.equal(color.test(await terminal.styledScreen()), is);
  }
});

Deno.test("without UTF-8 all is written in ASCII, on a terminal and in a pipe", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  deployment.play(2);
  const env = { LC_ALL: "C" };
  const args = ["--url", deployment.metrics.url];
  await using terminal = await openTop(args, { env });
  const screen = await seen(terminal, /^KV {6}#+\.* +\d+% /m, /^Load .* \+-\d/m, /^> \d+ +responding +#/m);
  assert.match(screen, /^[\n -~]*$/);
  const { code, stdout } = await output(args, env);
  assert.match(stdout, /^\d+ +responding +\d+\/100 .*\n/m);
  assert.match(stdout, /^[\n -~]*$/);
  assert.equal(code, 0);
});

Deno.test("where stdout is no terminal it is one table, also in a pipe of a terminal, and 1 where there is nothing to see", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  deployment.play(2);
  const env = { NATS_SERVER: deployment.nats.url };
  for (const args of [["--url", deployment.metrics.url], [...NAMED, ...QUICK]]) {
    const { code, stdout, stderr } = await output(args, env);
    assert.match(
      stdout,
      /^WORKER +STATE +KV +SLOTS +WAITING .*\n\d+ +responding +\d+\/100 .*\n\d+ +responding .*\n$/m,
    );
    assert.ok(!stdout.includes("\x1b"));
    assert.doesNotMatch(stderr, /error|WARN/);
    assert.equal(code, 0);
  }
  await using terminal = await Terminal.open({ columns: 140, env });
  const [program, ...args] = ownCommand("main.ts", ["top", ...NAMED, ...QUICK]);
  await terminal.run(["sh", "-c", '"$@" | cat', "sh", program!, ...args], AFTER);
  await seen(terminal, /^WORKER +STATE +KV/m, /^\d+ +responding/m, SANE);

  const gone = await output(["--url", "http://127.0.0.1:2"], env);
  assert.deepEqual([gone.code, gone.stdout], [1, ""]);
  assert.match(gone.stderr, /^error: Cannot see the fleet: [^\n]+\n$/);
});

async function output(args: readonly string[], env: Record<string, string>) {
  const [command, ...all] = ownCommand("main.ts", ["top", ...args]);
  const { code, stdout, stderr } = await new Deno.Command(command!, { args: all, env }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
