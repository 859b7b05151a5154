import assert from "node:assert/strict";

Deno.test("the demo shows three workers, and an interrupt leaves no server behind", async () => {
  const demo = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL("../../tools/demo.ts", import.meta.url).href, "--for", "60"],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let output = "";
  let told = false;
  for await (const text of demo.stdout.pipeThrough(new TextDecoderStream())) {
    output += text;
    if (told || output.match(/^llm_requests_total_slots\{/gm)?.length !== 3) continue;
    demo.kill("SIGINT");
    told = true;
  }
  assert.ok(told);
  assert.equal((await demo.status).code, 0);
  for (const [, port] of output.matchAll(/(?:metrics|nats|etcd): \w+:\/\/127\.0\.0\.1:(\d+)/g)) {
    await assert.rejects(
      Deno.connect({ hostname: "127.0.0.1", port: Number(port) }),
      Deno.errors.ConnectionRefused,
    );
  }
});
