import assert from "node:assert/strict";
import { workerIdFromInteger } from "../../lib/dynamo/worker_id.ts";
import { newWorker } from "../../lib/fleet/worker.ts";
import { WorkerTable, WorkerTableDraft } from "../../lib/fleet/worker_table.ts";

const worker = (id: number, registered?: boolean) => newWorker(workerIdFromInteger(id)!, registered);
const idsOf = (workers: WorkerTable | WorkerTableDraft) => workers.values().map(({ id }) => Number(id));

function tableOf(...ids: readonly number[]): WorkerTable {
  const draft = new WorkerTableDraft(WorkerTable.EMPTY);
  for (const id of ids) draft.put(worker(id));
  return draft.finish();
}

Deno.test("workers are ordered by id, as numbers, in whatever order they come", () => {
  assert.deepEqual(idsOf(tableOf(10, 9, 100, 1)), [1, 9, 10, 100]);
});

Deno.test("a table stays as it is while the next one is made of it", () => {
  const before = tableOf(1, 2, 3);
  const draft = new WorkerTableDraft(before);
  draft.put(worker(2, true));
  draft.delete(worker(3).id);
  draft.put(worker(4));
  const after = draft.finish();
  assert.deepEqual(idsOf(before), [1, 2, 3]);
  assert.equal(before.get(worker(2).id)!.registered, undefined);
  assert.deepEqual(idsOf(after), [1, 2, 4]);
  assert.equal(after.get(worker(2).id)!.registered, true);
  assert.deepEqual([before.size, after.size], [3, 3]);
});

Deno.test("a draft knows at once who came and who went", () => {
  const draft = new WorkerTableDraft(tableOf(1, 2));
  const [one, three] = [worker(1).id, worker(3).id];
  draft.delete(one);
  draft.put(worker(3));
  assert.deepEqual([draft.has(one), draft.has(three), draft.size], [false, true, 2]);
  assert.deepEqual(idsOf(draft), [2, 3]);
  draft.put(worker(1, true)); // It is back.
  draft.delete(three);
  draft.delete(three);
  assert.deepEqual([draft.get(one)!.registered, draft.has(three), draft.size], [true, false, 2]);
  assert.deepEqual(idsOf(draft.finish()), [1, 2]);
});

Deno.test("where nothing changed the table is the same", () => {
  const before = tableOf(1, 2);
  assert.equal(new WorkerTableDraft(before).finish(), before);
});

Deno.test("each worker is met once while those met before are changed and let go", () => {
  const draft = new WorkerTableDraft(tableOf(1, 2, 3, 4));
  draft.put(worker(1, true)); // From here on the draft has a list of its own.
  const met: number[] = [];
  for (const { id } of draft.values()) {
    met.push(Number(id));
    if (Number(id) % 2 === 0) draft.delete(id);
    else draft.put(newWorker(id, false));
  }
  assert.deepEqual(met, [1, 2, 3, 4]);
  assert.deepEqual(idsOf(draft.finish()), [1, 3]);
});
