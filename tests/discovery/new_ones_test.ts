import assert from "node:assert/strict";
import { NewOnes } from "../../lib/discovery/new_ones.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";

Deno.test("a worker in trouble is said once, and again when it was out of it meanwhile; of many the first are named", () => {
  const troubled = new NewOnes();
  const said = (...ids: readonly number[]) => troubled.note(ids.map((id) => String(id) as WorkerId));
  assert.equal(said(), undefined);
  assert.deepEqual(said(2, 2), { workers: 1, ids: "2" });
  assert.equal(said(2), undefined);
  assert.equal(said(), undefined);
  assert.deepEqual(said(1, 2), { workers: 2, ids: "1,2" });
  assert.deepEqual(said(1, 2, 3, 4, 5, 6, 7, 8), { workers: 6, ids: "3,4,5,6,7,…" });
});
