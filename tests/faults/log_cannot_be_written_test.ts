import assert from "node:assert/strict";
import { freePorts } from "../../tools/servers/ports.ts";
import { eventually } from "../helpers/eventually.ts";

/** How a shell starts a program whose log goes nowhere. */
const LOGS = {
  "a full device": '"$@" 2>/dev/full',
  "a closed descriptor": '"$@" 2>&-',
  "a pipe that nobody reads any more": 'exec 3>&1; { "$@" 2>&1 >&3 & echo $! >&3; } | true; wait',
} as const;

for (const [log, script] of Object.entries(LOGS)) {
  Deno.test(`metrics that logs to ${log} lives on, and ends with 0`, async () => {
    const [port = 0] = freePorts(1);
    const main = new URL("../../main.ts", import.meta.url).href;
    const child = new Deno.Command("bash", {
      args: [
        "-c",
        `${script.includes("wait") ? "" : "exec "}${script}`,
        "bash",
        Deno.execPath(),
        "run",
        "-A",
        "--no-check",
      ]
        .concat(main, "--component", "a", "--endpoint", "b", "--no-etcd", "--poll-interval", "0.1")
        .concat("--host", "127.0.0.1", "--port", String(port)),
      env: { NATS_SERVER: "nats://127.0.0.1:1", DYN_LOG: "debug" },
      stdout: "piped",
      stderr: "null",
    }).spawn();
    await eventually(async () => {
      const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      assert.match(page, /^dynamo_metrics_rounds_failed_total\{.*\} [5-9]/m);
    });
    if (script.includes("wait")) {
      const reader = child.stdout.getReader(); // The program's own id, printed by the shell.
      const { value } = await reader.read();
      const pid = Number(new TextDecoder().decode(value));
      Deno.kill(pid, "SIGTERM");
      await eventually(() => assert.throws(() => Deno.kill(pid, "SIGCONT")));
      await reader.cancel();
      assert.equal((await child.status).code, 0);
    } else {
      child.kill("SIGTERM");
      await child.stdout.cancel();
      assert.equal((await child.status).code, 0);
    }
  });
}
