import assert from "node:assert/strict";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

Deno.test("a worker that restarts under a new id is on the page at once, and the old id leaves every series", async () => {
  await using deployment = await Deployment.start();
  const before = deployment.play(1);
  const [old] = await deployment.shown(before, { count: 1 });
  await before[Symbol.asyncDispose]();
  const after = deployment.play(1);
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.states(), { [after.ids[0]!]: "responding" });
    assert.ok(!page.text.includes(`worker_id="${old}"`));
  });
});
