import assert from "node:assert/strict";
import { FAMILIES } from "../../lib/exposition/families.ts";
import { familyLabels } from "../../lib/exposition/family.ts";
import { promtool } from "../../tools/servers/prometheus.ts";
import { startPushgateway } from "../../tools/servers/pushgateway.ts";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

/** The page of a `metrics` that pushes too, with workers that answered and events that came. */
async function realPage(): Promise<string> {
  await using gateway = await startPushgateway();
  await using deployment = await Deployment.start({
    args: ["--push-url", gateway.url, "--push-interval", "0.1"],
  });
  deployment.play(2);
  return await eventually(async () => {
    const text = await (await fetch(`${deployment.metrics.url}/metrics`)).text();
    assert.equal(text.match(/^llm_kv_blocks_active\{/gm)?.length, 2);
    assert.match(text, /^dynamo_metrics_last_push_timestamp_seconds \d/m);
    assert.match(text, /^llm_kv_hit_rate_isl_blocks\{/m);
    return text;
  });
}

const page = await realPage();

Deno.test("promtool takes the page of a running metrics but for the three names kept from the original", async () => {
  const { stdout, stderr } = await promtool(["check", "metrics"], { stdin: page });
  const complaints = `${stdout}${stderr}`.trim().split("\n").map((line) => line.split(" ")[0]).toSorted();
  assert.deepEqual(complaints, [
    "llm_kv_blocks_total",
    "llm_kv_hit_rate_isl_blocks",
    "llm_kv_hit_rate_overlap_blocks",
  ]);
});

Deno.test("every sample of a running metrics is of a family of the table, with its labels in order, once", () => {
  const seen = new Set<string>();
  for (const line of page.trimEnd().split("\n").filter((line) => !line.startsWith("#"))) {
    const [, series = "", name = "", labels = ""] = /^((\w+)(?:\{(.*)\})?) \S+$/.exec(line) ??
      assert.fail(line);
    assert.ok(!seen.has(series), line);
    seen.add(series);
    const family = FAMILIES.find((family) =>
      family.name === name ||
      family.type === "histogram" && name.replace(/_(bucket|sum|count)$/, "") === family.name
    ) ?? assert.fail(line);
    const given = [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label!).filter((label) =>
      label !== "le"
    );
    const allowed = familyLabels(family);
    assert.deepEqual(given, allowed.filter((label) => given.includes(label)), line);
  }
  assert.ok(seen.size > 60);
});

Deno.test("no number of a running metrics has an exponent", () => {
  assert.doesNotMatch(page, /^[^#].* \S*\de[+-]?\d+$/m);
});
