import assert from "node:assert/strict";
import { freePorts } from "../../tools/servers/ports.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("readers that take all file descriptors do not end the process, and the page is there again", async () => {
  const [port = 0] = freePorts(1);
  const main = new URL("../../main.ts", import.meta.url).href;
  const metrics = new Deno.Command("bash", {
    args: ["-c", 'ulimit -n 100; exec "$@"', "bash", Deno.execPath(), "run", "-A", "--no-check", main]
      .concat(
        "--component",
        "a",
        "--endpoint",
        "b",
        "--no-etcd",
        "--host",
        "127.0.0.1",
        "--port",
        String(port),
      ),
    env: { NATS_SERVER: "nats://127.0.0.1:1" },
    stderr: "piped",
  }).spawn();
  const log = new Response(metrics.stderr).text();
  const page = async () => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  await eventually(page);
  const readers: Deno.Conn[] = [];
  for (let n = 0; n < 150; n++) {
    const reader = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
    if (reader) readers.push(reader);
  }
  assert.ok(readers.length > 50);
  await eventually(async () => assert.match(await page(), /^dynamo_metrics_up\{.*\} 0$/m));
  for (const reader of readers) reader.close();
  assert.match(await page(), /^dynamo_metrics_up\{.*\} 0$/m);
  metrics.kill("SIGTERM");
  assert.equal((await metrics.status).code, 0);
  const lines = (await log).split("\n").filter((line) => line.includes("opening it again"));
  assert.ok(lines.length >= 1, "the limit was not reached");
});
