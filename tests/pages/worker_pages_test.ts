import assert from "node:assert/strict";
import { NO_REGISTRATION } from "../../lib/discovery/membership.ts";
import type { PageTarget } from "../../lib/discovery/page_targets.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { configureLogging, parseLogFilter } from "../../lib/log.ts";
import { WorkerPages } from "../../lib/pages/worker_pages.ts";
import { systemClock } from "../../lib/timing.ts";
import { PageServer } from "../helpers/page_server.ts";
import { eventually } from "../helpers/eventually.ts";
import { target } from "../helpers/fleet_steps.ts";

const log: string[] = [];
configureLogging(
  { program: "metrics", filter: parseLogFilter("info"), format: "text", localTime: false, colors: false },
  (line) => log.push(line.replace(/^\S+ +/, "").trimEnd()),
);

/** What is logged of keys and lists, without what is said of pages. */
function said(): string[] {
  return log.splice(0).filter((line) => line.includes("::discovery:"));
}

function open(options: { templates?: string[]; listed?: () => readonly PageTarget[] }): WorkerPages {
  return new WorkerPages({
    target,
    clock: systemClock,
    templates: [],
    listed: () => [],
    intervalMs: 3_600_000,
    keepMs: 3_600_000,
    ...options,
  });
}

function registered(...ids: readonly string[]) {
  return { workers: new Map(ids.map((id) => [id as WorkerId, NO_REGISTRATION])) };
}

Deno.test("pages that are listed of workers that are not registered, and workers without a host, are said once", () => {
  const listed = [{ url: "http://127.0.0.1:1/metrics", host: "127.0.0.1", worker: "2" as WorkerId }];
  using pages = open({ templates: ["http://{host}:1/metrics"], listed: () => listed });
  assert.deepEqual([pages.take(), said()], [[], []], "nobody has said yet who is registered");
  pages.follow(registered("1"));
  assert.deepEqual(said(), [
    "INFO metrics::discovery: Pages are listed of workers that are not registered workers=1 ids=2",
    "WARN metrics::discovery: The key of a worker names no host, so --worker-url with {host} names no page of it workers=1 ids=1",
  ]);
  assert.match(pages.problems().get("1" as WorkerId)!, /names no host/);
  pages.follow(registered("1", "2"));
  assert.deepEqual(said(), []);
  pages.follow(registered("1"));
  assert.equal(said().length, 1);
});

Deno.test("a page that comes into the list is read at the next taking", async () => {
  await using server = new PageServer(() => new Response("vllm:num_requests_running 3\n"));
  let listed: readonly PageTarget[] = [];
  using pages = open({ listed: () => listed });
  pages.follow(registered("1"));
  assert.deepEqual(pages.take(), []);
  listed = [{ url: server.origin, host: "127.0.0.1", worker: "1" as WorkerId }];
  const [input] = await eventually(() => {
    const inputs = pages.take();
    assert.equal(inputs.length, 1);
    return inputs;
  });
  const [observation] = input!.observations;
  assert.deepEqual([input!.asked, observation!.worker, observation!.channel], [1, "1", "http"]);
  assert.ok(observation!.targets!.has(target));
});
