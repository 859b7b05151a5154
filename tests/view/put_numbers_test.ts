import assert from "node:assert/strict";
import type { Numbers, Worker } from "../../lib/exposition/api_v1.ts";
import { putNumbers } from "../../lib/view/put_numbers.ts";

const worker = (id: string): Worker => ({ id, state: "responding", channels: ["stats"], slots_active: 1 });

Deno.test("fields that a later release may add are taken, and lists that it may add are left out", () => {
  const workers = [worker("1"), worker("2")];
  const numbers = {
    id: ["1", "2"],
    slots_active: [3, null],
    tokens: [7, 8],
    adapters: { requests: [1, 2, 3] },
  };
  putNumbers(numbers as Numbers, workers);
  const { slots_active: _, ...unknown } = worker("2");
  assert.deepEqual(workers, [{ ...worker("1"), slots_active: 3, tokens: 7 }, { ...unknown, tokens: 8 }]);
});

Deno.test("numbers of more or fewer workers than there are change nothing", () => {
  const workers = [worker("1")];
  assert.throws(
    () => putNumbers({ id: ["1", "2"], slots_active: [3, 4] }, workers),
    /^RangeError: 2 values of slots_active are told of 1 that are there$/,
  );
  assert.deepEqual(workers, [worker("1")]);
});
