import assert from "node:assert/strict";
import { instanceKey } from "../lib/dynamo/instance_key.ts";
import { workerIdFromHex } from "../lib/dynamo/worker_id.ts";
import type { Fleet } from "../lib/exposition/api_v1.ts";
import { plain } from "../lib/top/line.ts";
import { plainText } from "../lib/top/plain.ts";
import { screenOf } from "../lib/top/screen.ts";
import { FIRST_VIEW } from "../lib/top/view.ts";
import { putKeys } from "../tools/etcd_gateway.ts";
import { FleetView } from "../lib/view/fleet_view.ts";
import { verdictOf } from "../lib/view/verdict.ts";
import { readFleet } from "./helpers/api_reader.ts";
import { Deployment } from "./helpers/deployment.ts";
import { eventually } from "./helpers/eventually.ts";
import { readingOf } from "./top/fleet_fixture.ts";

const BACKEND = { namespace: "dynamo", component: "backend", endpoint: "generate" };
const OTHER = { namespace: "prod", component: "backend", endpoint: "generate" };

Deno.test("of a target at which nobody is registered the log, /readyz, the API, the page and top say what is registered instead", async () => {
  await using deployment = await Deployment.start();
  const keys = [BACKEND, OTHER].map((target) => instanceKey("v1", target, workerIdFromHex("a1")!));
  await putKeys(deployment.etcd.url, keys);
  const told = await eventually(async () => {
    const fleet = await readFleet(deployment.metrics.url);
    const [found] = fleet.findings!;
    assert.deepEqual([found!.code, found!.hint], [
      "nobody_registered",
      "registered are dynamo/backend/generate, prod/backend/generate",
    ]);
    return fleet;
  }, { timeoutMs: 30_000 });
  const fleet = told as Fleet;
  const ready = await (await fetch(`${deployment.metrics.url}/readyz`)).json();
  assert.deepEqual(ready, {
    status: "ok",
    reasons: [],
    notes: [
      "no worker is registered at dynamo/my_component/my_endpoint; registered are dynamo/backend/generate, prod/backend/generate",
    ],
  });
  await eventually(() =>
    assert.ok(
      deployment.said(/No endpoints found .* registered=dynamo\/backend\/generate,prod\/backend\/generate/) >
        0,
    )
  );
  const view = new FleetView();
  view.replace(fleet);
  const { line, troubles } = verdictOf(view.head, view.targets[0]!.head);
  assert.equal(line, "No worker is registered at dynamo/my_component/my_endpoint");
  assert.equal(troubles[0]!.hint, "registered are dynamo/backend/generate, prod/backend/generate");
  const reading = readingOf(fleet);
  const picture = { reading, url: undefined, view: FIRST_VIEW, past: undefined, workerPast: undefined };
  const { lines } = screenOf({ ...picture, columns: 80, rows: 24 }, []);
  const screen = lines.map(plain).join("\n");
  assert.match(screen, /^No workers\nRegistered are dynamo\/backend\/generate, prod\/backend\/generate$/m);
  assert.match(
    plainText(fleet, { reading, url: undefined }),
    /nobody_registered .* registered are dynamo\/backend/m,
  );
});

Deno.test("with nothing registered at all an empty target says nothing of what is", async () => {
  await using deployment = await Deployment.start();
  await eventually(() => assert.ok(deployment.said(/No endpoints found/) > 0));
  const { findings } = await readFleet(deployment.metrics.url);
  assert.match(findings![0]!.hint, /^Check namespace/);
  assert.equal(deployment.said(/registered=/), 0);
});
