import assert from "node:assert/strict";
import { ownProgram } from "../../tools/program.ts";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("a worker that is stopped is silent, named with its last answer, and responds again when it goes on", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true, forgetAfter: "60" });
  await using worker = ownProgram("mock_worker.ts", {
    args: ["--no-etcd"],
    env: { NATS_SERVER: deployment.nats.url },
  });
  await eventually(async () => assert.equal((await deployment.page()).loaded().length, 1));
  const absent = deployment.said(/No endpoints found/);
  Deno.kill(worker.pid, "SIGSTOP");
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual([page.loaded(), Object.values(page.states())], [[], ["silent"]]);
    assert.equal(Object.keys(page.byWorker("dynamo_metrics_worker_last_answer_timestamp_seconds")).length, 1);
    assert.equal(page.value("dynamo_metrics_up"), 1);
  });
  await eventually(() =>
    assert.equal(
      deployment.said(/ WARN metrics: Workers silent at .* workers=1 ids=\d+ finding=worker_silent$/),
      1,
    )
  );
  Deno.kill(worker.pid, "SIGCONT");
  await eventually(async () => {
    assert.deepEqual(Object.values((await deployment.page()).states()), ["responding"]);
  });
  await eventually(() =>
    assert.equal(deployment.said(/ INFO metrics: Silent workers back at .* workers=1 /), 1)
  );
  assert.equal(deployment.said(/No endpoints found/), absent);
});
