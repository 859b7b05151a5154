import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("a thousand open connections hold up nobody, and their files are given back", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  const { hostname, port } = new URL(deployment.metrics.url);
  const before = (await deployment.page()).value("process_open_fds")!;
  const connections = [];
  for (let n = 0; n < 1_000; n++) connections.push(await Deno.connect({ hostname, port: Number(port) }));
  await eventually(async () => {
    assert.ok((await deployment.page()).value("process_open_fds")! >= before + 1_000);
  });
  for (const connection of connections) connection.close();
  await eventually(async () => {
    assert.ok((await deployment.page()).value("process_open_fds")! < before + 20);
  });
  assert.equal(await deployment.metrics.stop(), 0);
});
