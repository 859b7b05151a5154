import assert from "node:assert/strict";
import { Deployment, statsReply } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("ten thousand workers that answer after the round are on the page, and hold up nothing", async () => {
  await using deployment = await Deployment.start({
    withoutEtcd: true,
    staleAfter: "30",
    forgetAfter: "60",
  });
  const raw = deployment.raw();
  const replies = Array.from(
    { length: 10_000 },
    (_, n) => statsReply(raw.service, [[(n + 1).toString(16), 40]]),
  );
  const asked = Promise.withResolvers<(data: string) => void>();
  raw.answer(({ send }) => asked.resolve(send));
  const send = await asked.promise;
  await eventually(async () => {
    assert.ok((await deployment.page()).value("dynamo_metrics_rounds_total")! >= 3);
  });
  for (const reply of replies) send(reply);
  await eventually(async () => assert.equal((await deployment.page()).loaded().length, 10_000));
  const rounds = (await deployment.page()).value("dynamo_metrics_rounds_total")!;
  await eventually(async () => {
    assert.ok((await deployment.page()).value("dynamo_metrics_rounds_total")! > rounds);
  });
});
