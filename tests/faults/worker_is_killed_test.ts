import assert from "node:assert/strict";
import { ownProgram } from "../../tools/program.ts";
import { readFleet } from "../helpers/api_reader.ts";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("a worker that is killed is silent, then out of every series: by its key with etcd, forgotten without", async () => {
  for (const withoutEtcd of [undefined, true as const]) {
    await using deployment = await Deployment.start({ ...(withoutEtcd && { withoutEtcd }) });
    const env = {
      NATS_SERVER: deployment.nats.url,
      ...(!withoutEtcd && { ETCD_ENDPOINTS: deployment.etcd.url }),
    };
    await using worker = ownProgram("mock_worker.ts", { args: withoutEtcd ? ["--no-etcd"] : [], env });
    await eventually(async () => assert.equal((await deployment.page()).loaded().length, 1));
    await worker.stop("SIGKILL");
    await eventually(async () => {
      const page = await deployment.page();
      assert.deepEqual(page.loaded(), []);
      assert.deepEqual(Object.values(page.states()), ["silent"]);
    });
    await eventually(async () => {
      const page = await deployment.page();
      assert.deepEqual(page.states(), {});
      assert.deepEqual(page.byWorker("dynamo_metrics_worker_last_answer_timestamp_seconds"), {});
      const reason = withoutEtcd ? "forgotten" : "deregistered";
      assert.equal(page.value("dynamo_metrics_workers_gone_total", { reason }), 1);
    }, { timeoutMs: 20_000 }); // The lease of mock_worker lives ten seconds.
    const { targets: [target] } = await readFleet(deployment.metrics.url);
    assert.deepEqual(target!.changes!.map(({ kind, reason }) => `${kind} ${reason}`), [
      "silent no_sign",
      "gone silent",
    ]);
    assert.deepEqual(target!.losses, {
      workers: 1,
      at: target!.changes![1]!.at,
      ids: [target!.changes![1]!.id],
    });
    await eventually(() => {
      const said = [...deployment.metrics.log().matchAll(/(\w+ metrics: [A-Z][a-z ]+) dynamo\//g)];
      const lines = [...new Set(said.map(([, line]) => line))];
      assert.deepEqual(lines.slice(lines.indexOf("INFO metrics: Found workers at")), [
        "INFO metrics: Found workers at",
        "WARN metrics: Workers silent at",
        "WARN metrics: Workers gone from",
      ]);
      const absent = said.findLastIndex(([, line]) => line === "WARN metrics: No endpoints found matching");
      const silent = said.findIndex(([, line]) => line === "WARN metrics: Workers silent at");
      assert.ok(absent > silent, `${absent} ${silent}`);
    });
  }
});
