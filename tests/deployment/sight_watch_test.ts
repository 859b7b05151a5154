import assert from "node:assert/strict";
import { SightWatch } from "../../lib/deployment/sight_watch.ts";
import { at } from "../helpers/fleet_steps.ts";

Deno.test("workers that need no NATS are seen while we run", () => {
  let ms = 0;
  using sight = new SightWatch(() => at(ms));
  for (ms = 1_000; ms <= 5_000; ms += 1_000) {
    assert.deepEqual(sight.read(undefined), { sinceMs: 0, untilMs: ms });
  }
  ms = 9_000;
  assert.deepEqual(sight.read(undefined), { sinceMs: 9_000, untilMs: 9_000 }, "after a break of ours");
});

Deno.test("workers that need NATS are seen while its server is heard, and while we run", () => {
  let ms = 1_000;
  using sight = new SightWatch(() => at(ms));
  assert.equal(sight.read({ heard: undefined }), undefined);
  assert.deepEqual(sight.read({ heard: { sinceMs: 500, untilMs: 900 } }), { sinceMs: 1_000, untilMs: 900 });
  ms = 2_000;
  assert.deepEqual(sight.read({ heard: { sinceMs: 1_500, untilMs: 1_900 } }), {
    sinceMs: 1_500,
    untilMs: 1_900,
  });
});
