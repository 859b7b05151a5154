import assert from "node:assert/strict";
import { NO_HIT_RATES } from "../../lib/fleet/hit_rates.ts";
import { namespaceSnapshot } from "../../lib/fleet/snapshot.ts";
import { FAMILIES } from "../../lib/exposition/families.ts";
import { promtool } from "../../tools/servers/prometheus.ts";
import { assertGolden } from "../helpers/golden.ts";
import { renderText } from "../helpers/render_text.ts";
import { counted, responding, snapshot } from "../helpers/shown_fleet.ts";

Deno.test("a whole page, names escaped, ids unsigned, numbers without exponent, what is unknown absent", async () => {
  await assertGolden("page.txt", renderText(snapshot, counted));
});

Deno.test("a page without workers has no load series and no NaN", () => {
  const [target] = snapshot.targets;
  const namespace = namespaceSnapshot("dynamo", NO_HIT_RATES);
  const empty = {
    ...snapshot,
    namespaces: [namespace],
    targets: [{ ...target!, namespace, workers: [], load: undefined, loadFrom: undefined }],
  };
  const page = renderText(empty, []);
  assert.doesNotMatch(page, /^llm_|NaN/m);
  assert.match(page, /^dynamo_metrics_up\{.*\} 1$/m);
});

Deno.test("promtool takes the page but for the three names that are kept from the original", async () => {
  const { stdout, stderr } = await promtool(["check", "metrics"], { stdin: renderText(snapshot, counted) });
  const complaints = `${stdout}${stderr}`.trim().split("\n").map((line) => line.split(" ")[0]).toSorted();
  assert.deepEqual(complaints, [
    "llm_kv_blocks_total",
    "llm_kv_hit_rate_isl_blocks",
    "llm_kv_hit_rate_overlap_blocks",
  ]);
});

Deno.test("family names are unique, sorted, and counters of ours end in _total", () => {
  const names = FAMILIES.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)].toSorted());
  for (const { name, type } of FAMILIES) {
    if (!name.startsWith("llm_")) assert.equal(name.endsWith("_total"), type === "counter", name);
  }
});

Deno.test("an endpoint that a worker names twice is on the page once, with the later numbers", () => {
  const [target] = snapshot.targets;
  const counters = (endpoint: string, requests: number) => ({
    endpoint,
    requests,
    errors: undefined,
    processingSeconds: undefined,
  });
  const endpoints = [
    counters("generate", 1),
    counters("clear", 2),
    counters("generate", 3),
    counters("\ud800", 4), // Halves of a character: as bytes both are the same.
    counters("\ud801", 5),
  ];
  const page = renderText(
    { ...snapshot, targets: [{ ...target!, workers: [{ ...responding, endpoints }] }] },
    [],
  );
  const lines = page.match(/^dynamo_metrics_endpoint_requests_total\{.*/gm)!;
  const shown = lines.map((line) => /dynamo_endpoint="(.*)",worker_id="161"\} (\d)/.exec(line)!.slice(1));
  assert.deepEqual(shown.map(([name, value]) => [name!.toWellFormed(), value]), [
    ["generate", "3"],
    ["clear", "2"],
    ["\ufffd", "5"],
  ]);
});
