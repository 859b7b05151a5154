import assert from "node:assert/strict";
import { eventually } from "../helpers/eventually.ts";

const LINUX = Deno.build.os === "linux";
const SCRIPT = new URL("../../tools/demo.ts", import.meta.url).href;

Deno.test("the demo shows its workers between the page's address, and an interrupt leaves no process, port or file behind", async () => {
  const temp = await Deno.makeTempDir({ prefix: "demo-" });
  try {
    const demo = start(["--", "--for", "60"], temp); // As npm users write it.
    let output = "";
    let during: string[] | undefined;
    for await (const text of demo.stdout.pipeThrough(new TextDecoderStream())) {
      output += text;
      if (during !== undefined || !output.endsWith("(Ctrl-C ends all)\n")) continue;
      assert.ok(showsAll(output));
      const [, address] = /^The live page: (http:\S+)\n/.exec(output)!;
      assert.ok(output.endsWith(`\nThe live page:       ${address}    (Ctrl-C ends all)\n`));
      assert.match(await (await fetch(address!)).text(), /<title>metrics<\/title>/);
      during = processesOf(temp);
      demo.kill("SIGINT");
    }
    assert.ok(during);
    assert.equal((await demo.status).code, 0);
    if (LINUX) {
      for (const part of ["nats-server", "etcd", "mock_worker.ts", "main.ts"]) {
        assert.ok(during.some((command) => command.includes(part)), `${part} did not run`);
      }
    }
    await assertNothingLeft(output, temp);
  } finally {
    await Deno.remove(temp, { recursive: true });
  }
});

Deno.test({
  name: "a demo that is killed leaves no process behind",
  ignore: !LINUX,
  fn: async () => {
    const temp = await Deno.makeTempDir({ prefix: "demo-" });
    try {
      const demo = start(["--for", "60"], temp);
      let output = "";
      for await (const text of demo.stdout.pipeThrough(new TextDecoderStream())) {
        output += text;
        if (showsAll(output) && processesOf(temp).length >= 7) demo.kill("SIGKILL");
      }
      await demo.status;
      assert.ok(showsAll(output));
      await eventually(() => assert.deepEqual(processesOf(temp), []));
    } finally {
      await Deno.remove(temp, { recursive: true });
    }
  },
});

for (const args of [[], ["--for", "0.1"]]) {
  Deno.test(`without a terminal the demo ends by itself: [${args.join(" ")}]`, async () => {
    const temp = await Deno.makeTempDir({ prefix: "demo-" });
    try {
      const { code, stdout } = await start(args, temp).output();
      assert.equal(code, 0);
      const output = new TextDecoder().decode(stdout);
      assert.ok(showsAll(output));
      await assertNothingLeft(output, temp);
    } finally {
      await Deno.remove(temp, { recursive: true });
    }
  });
}

Deno.test("usage errors of the demo are one line, exit code 2", async () => {
  for (const args of [["--nope"], ["--for"], ["--for", "x"], ["--for", "0"], ["--for", "1", "2"]]) {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", SCRIPT, ...args],
    }).output();
    assert.equal(code, 2);
    assert.equal(stdout.length, 0);
    assert.match(new TextDecoder().decode(stderr), /^error: [^\n]+\n$/);
  }
});

function start(args: readonly string[], temp: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", SCRIPT, ...args],
    env: { TMPDIR: temp },
    stdout: "piped",
    stderr: "null",
  }).spawn();
}

/** All workers are there, of both releases, with everything connected. */
function showsAll(output: string): boolean {
  const releases = [...output.matchAll(/^\d+ +responding +\d+\/100 .* (0\.6\.0|1\.5\.1\+) /gm)];
  return /^NATS connected {2}etcd connected /m.test(output) &&
    releases.map(([, release]) => release).toSorted().join() === "0.6.0,0.6.0,1.5.1+,1.5.1+";
}

async function assertNothingLeft(output: string, temp: string): Promise<void> {
  assert.deepEqual(processesOf(temp), []);
  assert.deepEqual([...Deno.readDirSync(temp)], []);
  const ports = [...output.matchAll(/(?:metrics|nats|etcd): \w+:\/\/127\.0\.0\.1:(\d+)/g)];
  assert.equal(ports.length, 3);
  for (const [, port] of ports) {
    await assert.rejects(
      Deno.connect({ hostname: "127.0.0.1", port: Number(port) }),
      Deno.errors.ConnectionRefused,
    );
  }
}

/** Command lines of the processes that were given this folder for their temporary files (Linux; else none). */
function processesOf(temp: string): string[] {
  const commands: string[] = [];
  if (!LINUX) return commands;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (!Deno.readTextFileSync(`/proc/${name}/environ`).includes(`TMPDIR=${temp}\0`)) continue;
      commands.push(Deno.readTextFileSync(`/proc/${name}/cmdline`).replaceAll("\0", " "));
    } catch {
      // It ended meanwhile, or is not ours.
    }
  }
  return commands;
}
