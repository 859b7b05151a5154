import assert from "node:assert/strict";
import { Deployment } from "../../lib/deployment/deployment.ts";
import type { Noted } from "../../lib/deployment/recorder.ts";
import { storedRanges } from "../../lib/discovery/directory.ts";
import { hitRateText } from "../../lib/dynamo/hit_rate.ts";
import { kvMetricsLoadText } from "../../lib/dynamo/kv_metrics.ts";
import { eventSubject } from "../../lib/dynamo/subject.ts";
import type { Target } from "../../lib/dynamo/target.ts";
import { workerIdFromHex } from "../../lib/dynamo/worker_id.ts";
import { CHANNELS } from "../../lib/events/observation.ts";
import { renderPage } from "../../lib/exposition/render.ts";
import { TEXT } from "../../lib/exposition/text.ts";
import { startMockWorker } from "../../lib/mock/mock_workers.ts";
import { Telemetry } from "../../lib/telemetry/telemetry.ts";
import { systemClock } from "../../lib/timing.ts";
import { EtcdMirror } from "../../lib/transport/etcd_mirror.ts";
import { NatsLink } from "../../lib/transport/nats.ts";
import { startEtcd } from "../../tools/servers/etcd.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { promtool } from "../../tools/servers/prometheus.ts";
import { USER } from "../../tools/nats_users.ts";
import { RawService } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

const A = { namespace: "dynamo", component: "prefill", endpoint: "generate" };
const B = { namespace: "dynamo", component: "decode", endpoint: "generate" };
const ELSEWHERE = { namespace: "other", component: "decode", endpoint: "generate" };
const B_CLEAR = { ...B, endpoint: "clear_kv_blocks" };

/** Counts, and keeps what was noted. */
class Notes extends Telemetry {
  readonly all: Noted[] = [];

  constructor(targets: readonly Target[]) {
    const build = { version: "1", revision: "r" };
    super({ targets, build, pushing: false, publishing: false });
  }

  override note(noted: Noted): void {
    super.note(noted);
    this.all.push(noted);
  }
}

/** Real servers, two workers of each of some targets, and a deployment that watches these targets. */
async function watch(targets: readonly Target[], { release }: { readonly release: "0.1.1" | "1.6.1" }) {
  await using opened = new AsyncDisposableStack();
  const nats = opened.use(await startNats());
  const etcd = opened.use(await startEtcd());
  const { signal } = new AbortController();
  for (const target of targets) {
    opened.use(startMockWorker({
      target,
      nats: { servers: [nats.url], auth: USER },
      etcd: { endpoints: [etcd.url] },
      signal,
      workers: 2,
      seed: JSON.stringify(target),
      steady: true,
      release,
    }));
  }
  const telemetry = new Notes(targets);
  const store = opened.use(new EtcdMirror(storedRanges(targets), { endpoints: [etcd.url], signal }));
  const link = opened.use(new NatsLink({ servers: [nats.url], name: "test", auth: USER, signal }));
  const deployment = opened.use(
    new Deployment({
      targets,
      nats: link,
      store,
      clock: systemClock,
      recorder: telemetry,
      pollIntervalMs: 200,
      channels: new Set(CHANNELS),
      workerUrls: [],
      limits: { staleAfterMs: 10_000, forgetAfterMs: 100_000, stuckAfterMs: 10_000 },
    }),
  );
  const stop = new AbortController();
  const running = deployment.run(stop.signal);
  opened.defer(async () => {
    stop.abort();
    await running;
  });
  const raw = opened.use(new RawService(nats.url));
  const ends = opened.move();
  return {
    deployment,
    telemetry,
    raw,
    page: async (workerLabels: "full" | "none" = "full") => {
      const counted = await telemetry.counted();
      return [...renderPage(TEXT, { snapshot: deployment.snapshot, counted, workerLabels })].join("");
    },
    [Symbol.asyncDispose]: () => ends.disposeAsync(),
  };
}

/** The series of a page that stand there more than once. */
function twice(page: string): string[] {
  const series = page.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.slice(0, line.lastIndexOf(" ")));
  const seen = new Set<string>();
  return series.filter((one) => seen.size === seen.add(one).size);
}

/** The labels of the series of a family. */
function labelsOf(page: string, name: string): string[] {
  return [...page.matchAll(new RegExp(`^${name}\\{(.*)\\} `, "gm"))].map(([, labels]) => labels!);
}

for (
  const [what, targets] of [
    ["two targets in one namespace", [A, B]],
    ["the same component in two namespaces", [B, ELSEWHERE]],
    ["two endpoints of one component, and a third target", [B, B_CLEAR, A]],
  ] as const
) {
  for (const release of ["0.1.1", "1.6.1"] as const) {
    Deno.test(`of ${what}, with workers of ${release}, no series appears twice, and each target has its own workers`, async () => {
      await using watched = await watch(targets, { release });
      await eventually(() => {
        for (const { workers } of watched.deployment.snapshot.targets) {
          assert.equal(workers.filter(({ numbers }) => numbers.activeBlocks !== undefined).length, 2);
        }
      });
      for (const workerLabels of ["full", "none"] as const) {
        const page = await watched.page(workerLabels);
        assert.deepEqual(twice(page), []);
        const checked = await promtool(["check", "metrics"], { stdin: page });
        assert.doesNotMatch(checked.stderr, /error while linting/);
        for (const name of ["dynamo_metrics_up", "llm_load_avg"]) {
          assert.equal(labelsOf(page, name).length, targets.length, name);
        }
      }
    });
  }
}

Deno.test("what a namespace says is heard and counted once, and each of its targets takes what is of its workers", async () => {
  await using watched = await watch([A, B, ELSEWHERE], { release: "0.1.1" });
  await eventually(() => {
    for (const { workersByState } of watched.deployment.snapshot.targets) {
      assert.equal(workersByState.responding, 2);
    }
  });
  const before = watched.telemetry.all.length;
  const [a, b] = watched.deployment.snapshot.targets.map(({ workers }) => workers[0]!.id);
  const stranger = workerIdFromHex("77")!;
  for (const worker of [a!, b!, stranger]) {
    const load = {
      shape: "flat4",
      activeSlots: 1,
      totalSlots: 8,
      activeBlocks: 7,
      totalBlocks: 100,
    } as const;
    watched.raw.publish(eventSubject("dynamo", "kv_metrics"), kvMetricsLoadText(worker, load));
    const event = { worker, islBlocks: 1_000_000, overlapBlocks: 1 };
    watched.raw.publish(eventSubject("dynamo", "kv-hit-rate"), hitRateText(event));
  }
  await eventually(() => {
    const noted = watched.telemetry.all.slice(before);
    const heard = noted.flatMap((one) => one.input.kind === "events" ? one.input.observations : []);
    assert.deepEqual(heard.map(({ worker }) => worker), [a, b, stranger]);
    const unheard = noted.flatMap((one) => "unheard" in one ? [...one.unheard.keys()] : []);
    assert.deepEqual(unheard.map(({ worker }) => worker), [stranger]);
    const [first, second] = watched.deployment.snapshot.targets;
    assert.equal(first!.namespace, second!.namespace);
    assert.ok(first!.namespace.hitRateTotals.islBlocks >= 3_000_000);
    assert.ok(first!.namespace.hitRateTotals.islBlocks < 4_000_000);
  });
  const page = await watched.page();
  assert.deepEqual(labelsOf(page, "dynamo_metrics_kv_hit_rate_isl_blocks_total"), [
    'dynamo_namespace="dynamo"',
    'dynamo_namespace="other"',
  ]);
});
