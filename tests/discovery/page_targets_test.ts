import assert from "node:assert/strict";
import { parsePageTargets } from "../../lib/discovery/page_targets.ts";

Deno.test("targets are addresses as http_sd lists them", () => {
  const text = JSON.stringify([
    { targets: ["10.0.0.1:8081", "[2001:db8::1]:8081"], labels: { job: "x", __meta_x: "y" } },
    {
      targets: ["node-1"],
      labels: {
        __scheme__: "https",
        __metrics_path__: "/m",
        __param_a: "b c",
        worker_id: "18446744073709551615",
      },
    },
    { targets: [] },
  ]);
  assert.deepEqual(parsePageTargets(text), [
    { url: "http://10.0.0.1:8081/metrics", host: "10.0.0.1", worker: undefined },
    { url: "http://[2001:db8::1]:8081/metrics", host: "[2001:db8::1]", worker: undefined },
    { url: "https://node-1/m?a=b+c", host: "node-1", worker: "18446744073709551615" },
  ]);
  assert.deepEqual(parsePageTargets("[]"), []);
});

const noAddress = "no address HOST:PORT comes out of it and its labels";
const bad: readonly (readonly [text: string, message: string])[] = [
  ["", "must be JSON"],
  ["{}", "must be a list of groups with targets, as of http_sd"],
  ["[7]", "group 1 must have targets, a list, and may have labels, an object"],
  ['[{"targets":[]},{"targets":"a:1"}]', "group 2 must have targets, a list, and may have labels, an object"],
  ['[{"targets":[],"labels":[]}]', "group 1 must have targets, a list, and may have labels, an object"],
  ['[{"targets":[7]}]', `a target that is no text: ${noAddress}`],
  ['[{"targets":["http://a:1/metrics"]}]', `"http://a:1/metrics": ${noAddress}`],
  ['[{"targets":["a:1"],"labels":{"__scheme__":"ftp"}}]', `"a:1": ${noAddress}`],
  ['[{"targets":["a:1"],"labels":{"__metrics_path__":"m"}}]', `"a:1": ${noAddress}`],
  ['[{"targets":["a:1"],"labels":{"worker_id":"a1"}}]', '"a:1": worker_id "a1" is no decimal id, as text'],
  ['[{"targets":["a:1"],"labels":{"worker_id":161}}]', '"a:1": worker_id 161 is no decimal id, as text'],
];

for (const [text, message] of bad) {
  Deno.test(`the list ${JSON.stringify(text)} is refused: ${message}`, () => {
    assert.throws(() => parsePageTargets(text), { message });
  });
}
