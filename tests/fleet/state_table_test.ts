import assert from "node:assert/strict";
import { a, feed, states, type Step } from "../helpers/fleet_steps.ts";
import { type State, STATE_TABLE, stepsTo } from "./state_table.ts";

for (const { from, when, to, withoutEtcd, steps, at } of STATE_TABLE) {
  Deno.test(`a worker that is ${from} is ${to} when ${when}`, () => {
    const before = stepsTo(from, withoutEtcd ? { withoutEtcd } : {});
    const atFirst = before.at(-1)?.[0] ?? 0;
    assert.equal(stateAfter(before, atFirst), from, "the way to the first state");
    assert.equal(stateAfter([...before, ...steps], at), to);
  });
}

Deno.test("every state is entered and left in the table", () => {
  const all: State[] = ["unknown", "discovered", "responding", "no_data", "undecodable", "silent", "gone"];
  assert.deepEqual(
    all.filter((state) => !STATE_TABLE.some(({ from, to }) => from === state && to !== state)),
    [],
  );
  const entered = all.filter((state) => state !== "unknown");
  assert.deepEqual(
    entered.filter((state) => !STATE_TABLE.some(({ from, to }) => to === state && from !== state)),
    [],
  );
});

function stateAfter(steps: readonly Step[], ms: number): State {
  const { fleet } = feed(...steps);
  const state = states(fleet, ms)[a] as State | undefined;
  return state ?? (fleet.gone.has(a) ? "gone" : "unknown");
}
