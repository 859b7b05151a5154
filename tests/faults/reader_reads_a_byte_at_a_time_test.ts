import assert from "node:assert/strict";
import { Deployment, statsReply } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("readers that read a byte at a time hold up neither others nor the rounds nor the end", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true, natsConfig: "max_payload: 8388608" });
  const raw = deployment.raw();
  const workers = Array.from({ length: 8_000 }, (_, n) => [(n + 1).toString(16), 40] as const);
  raw.answer(({ send }) => send(statsReply(raw.service, workers)));
  await eventually(async () => assert.equal((await deployment.page()).loaded().length, 8_000));
  const { hostname, port } = new URL(deployment.metrics.url);
  const readers = await Promise.all(Array.from({ length: 20 }, async () => {
    const reader = await Deno.connect({ hostname, port: Number(port) });
    await reader.write(new TextEncoder().encode("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
    await reader.read(new Uint8Array(1));
    return reader;
  }));
  const rounds = (await deployment.page()).value("dynamo_metrics_rounds_total")!;
  await eventually(async () => {
    const page = await deployment.page();
    assert.equal(page.loaded().length, 8_000);
    assert.ok(page.value("dynamo_metrics_rounds_total")! > rounds + 2);
    for (const reader of readers) await reader.read(new Uint8Array(1));
  });
  assert.equal(await deployment.metrics.stop(), 0);
  for (const reader of readers) reader.close();
});
