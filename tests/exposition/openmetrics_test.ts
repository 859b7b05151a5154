import assert from "node:assert/strict";
import type { Format } from "../../lib/exposition/sample.ts";
import { OPENMETRICS } from "../../lib/exposition/openmetrics.ts";
import { renderPage } from "../../lib/exposition/render.ts";
import { TEXT } from "../../lib/exposition/text.ts";
import { parseOpenMetrics } from "../../tools/servers/openmetrics.ts";
import { assertGolden } from "../helpers/golden.ts";
import { counted, snapshot } from "../helpers/shown_fleet.ts";

const render = (format: Format) =>
  [...renderPage(format, { snapshot, counted, workerLabels: "full" })].join("");
const page = render(OPENMETRICS);

Deno.test("a whole page in OpenMetrics, with units and an end", async () => {
  await assertGolden("page.openmetrics.txt", page);
});

Deno.test("samples are the same lines in both formats", () => {
  const samples = (page: string) => page.trimEnd().split("\n").filter((line) => !line.startsWith("#"));
  assert.deepEqual(samples(page), samples(render(TEXT)));
});

Deno.test("the strict parser reads every sample, counters as counters, the original's two as unknown", async () => {
  const families = await parseOpenMetrics(page);
  const lines = page.trimEnd().split("\n").filter((line) => !line.startsWith("#"));
  assert.deepEqual(
    families.flatMap(({ samples }) => samples.map(({ name }) => name)),
    lines.map((line) => /^\w+/.exec(line)![0]),
  );
  const typeOf = (name: string) => families.find((family) => family.name === name)?.type;
  assert.equal(typeOf("dynamo_metrics_endpoint_requests"), "counter");
  assert.equal(typeOf("dynamo_metrics_round_duration_seconds"), "histogram");
  assert.equal(typeOf("llm_kv_blocks_total"), "gauge");
  assert.equal(typeOf("llm_kv_hit_rate_isl_blocks"), "unknown");
  assert.equal(typeOf("llm_kv_hit_rate_overlap_blocks"), "unknown");
  const withUnits = families.filter(({ unit }) => unit !== "").map(({ name, unit }) => `${name}: ${unit}`);
  assert.ok(withUnits.includes("dynamo_metrics_endpoint_processing_seconds: seconds"));
  assert.ok(withUnits.includes("dynamo_metrics_worker_kv_cache_usage_ratio: ratio"));
});

const refused: readonly [what: string, page: string, message: string][] = [
  ["no end", page.replace("# EOF\n", ""), "Missing # EOF at end"],
  ["a counter without _total", "# TYPE a counter\na 1\n# EOF\n", "Clashing name: a"],
  ["a unit that the name has not", "# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n", "Unit does not match"],
];

for (const [what, page, message] of refused) {
  Deno.test(`the strict parser refuses a page with ${what}`, async () => {
    await assert.rejects(parseOpenMetrics(page), new RegExp(`Cannot read as OpenMetrics: ${message}`));
  });
}
