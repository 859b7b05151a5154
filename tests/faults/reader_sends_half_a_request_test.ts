import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("readers that send half a request hold up neither others nor the end", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  const { hostname, port } = new URL(deployment.metrics.url);
  const readers = await Promise.all(
    [
      "",
      "G",
      "GET /metrics HTTP/1.1\r\nHost:",
      "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx",
    ]
      .map(async (text) => {
        const reader = await Deno.connect({ hostname, port: Number(port) });
        await reader.write(new TextEncoder().encode(text));
        return reader;
      }),
  );
  await eventually(async () => {
    assert.ok((await deployment.page()).value("dynamo_metrics_rounds_total")! > 2);
  });
  assert.equal(await deployment.metrics.stop(), 0);
  for (const reader of readers) reader.close();
});
