import assert from "node:assert/strict";
import { parseHitRate } from "../../lib/dynamo/hit_rate.ts";
import { INSTANCE_KEY_LAYOUTS, instanceKeyPrefix, parseInstanceKey } from "../../lib/dynamo/instance_key.ts";
import { instanceValue } from "../../lib/dynamo/instance_value.ts";
import { l2cHead, L2cWriter } from "../../lib/dynamo/l2c.ts";
import { type LoadShape, parseLoad } from "../../lib/dynamo/load.ts";
import { SERVICE_FORMS, serviceName } from "../../lib/dynamo/service_name.ts";
import { instanceSubject, l2cSubject } from "../../lib/dynamo/subject.ts";
import type { Target } from "../../lib/dynamo/target.ts";
import { type WorkerId, workerIdFromHex } from "../../lib/dynamo/worker_id.ts";
import { emptyFleet, type Fleet, type FleetInput } from "../../lib/fleet/fleet.ts";
import { type Answer, noRejections, readReply } from "../../lib/scrape/answer.ts";
import { addHitRates, NO_HIT_RATES } from "../../lib/fleet/hit_rates.ts";
import { namespaceSnapshot } from "../../lib/fleet/snapshot.ts";
import { natsConnection } from "../helpers/connections.ts";
import { renderText } from "../helpers/render_text.ts";
import { apply, snapshotTarget } from "../helpers/fleet_at_once.ts";

// Captured from real workers of each release that has load data in its statistics: real Python workers (`worker`), with
// the page that the original `metrics` made of them, and the releases' own mock workers, whose numbers are random.

const CAPTURES = new URL("../testdata/captures/", import.meta.url);
const now = { monotonicMs: 0, epochMs: 0 };
const limits = { staleAfterMs: 3_000, forgetAfterMs: 30_000, stuckAfterMs: 10_000 };

const WORKER: Target = { namespace: "dynamo", component: "VllmWorker", endpoint: "load_metrics" };
const MOCK: Target = { namespace: "dynamo", component: "my_component", endpoint: "my_endpoint" };
const LATE_MOCK: Target = { ...MOCK, component: "MyComponent" };

/** Waiting, slots in use, blocks in use, of blocks in total, cache usage, prefix hits, rank. */
type Numbers = readonly [number, number, number, number, number, number, number?];

const WORKER_NUMBERS: readonly Numbers[] = [
  [2, 3, 40, 1_000, 0.5, 0.25],
  [0, 7, 60, 1_000, 0.10000000149011612, 0.75],
];

interface Expectation {
  readonly target: Target;
  readonly shape: LoadShape;
  readonly replies: readonly Numbers[];
}

const EXPECTED: Readonly<Record<string, Expectation>> = {
  "0.1.0/original-mock_worker": {
    target: MOCK,
    shape: "flat7",
    replies: [
      [6, 45, 2, 100, 0.39672142267227173, 0.8005720376968384],
      [70, 54, 46, 100, 0.026926402002573013, 0.11432529985904694],
    ],
  },
  "0.1.1/original-mock_worker": {
    target: MOCK,
    shape: "flat7",
    replies: [
      [90, 30, 33, 100, 0.8561867475509644, 0.38730645179748535],
      [45, 43, 28, 100, 0.521195650100708, 0.3369640111923218],
    ],
  },
  "0.1.1/worker": { target: WORKER, shape: "flat7", replies: WORKER_NUMBERS.toReversed() },
  "0.2.1/original-mock_worker": {
    target: MOCK,
    shape: "flat7",
    replies: [
      [97, 26, 24, 100, 0.13945257663726807, 0.5366499423980713],
      [77, 34, 14, 100, 0.1192317008972168, 0.8505134582519531],
    ],
  },
  "0.2.1/worker": { target: WORKER, shape: "flat7", replies: WORKER_NUMBERS.toReversed() },
  "0.3.0/original-mock_worker": {
    target: MOCK,
    shape: "flat8",
    replies: [
      [97, 56, 36, 100, 0.5161545276641846, 0.8691502809524536],
      [28, 42, 70, 100, 0.31095457077026367, 0.16875970363616943],
    ],
  },
  "0.3.0/worker": {
    target: WORKER,
    shape: "flat8",
    replies: [[2, 3, 40, 1_000, 0.5, 0.25, 0], [0, 7, 60, 1_000, 0.10000000149011612, 0.75, 1]],
  },
  "0.3.2/original-mock_worker": {
    target: LATE_MOCK,
    shape: "nested",
    replies: [
      [58, 0, 99, 100, 0.6550958156585693, 0.832696795463562],
      [84, 34, 44, 100, 0.701349139213562, 0.7370193004608154],
    ],
  },
  "0.3.2/worker": {
    target: WORKER,
    shape: "nested",
    replies: [[2, 3, 40, 1_000, 0.5, 0.25], [0, 7, 60, 1_000, 0.10000000149011612, 0.75, 1]],
  },
  "0.5.0/worker": {
    target: WORKER,
    shape: "nested",
    replies: [[0, 7, 60, 1_000, 0.10000000149011612, 0.75, 1], [2, 3, 40, 1_000, 0.5, 0.25]],
  },
  "0.6.0/worker": {
    target: WORKER,
    shape: "nested",
    replies: [[0, 7, 60, 1_000, 0.10000000149011612, 0.75, 1], [2, 3, 40, 1_000, 0.5, 0.25]],
  },
};

/** Releases without load data in their statistics: `event_captures_test.ts` reads what they have. */
const LATER = /^(?:0\.[789]|1)\./;

/** What each kind of file is held against; files for the mock worker's own tests are read there. */
const CHECKS: Readonly<Record<string, ((folder: string, expected: Expectation) => void) | "tests/mock">> = {
  "stats-reply-1.json": (folder, expected) => checkReply(folder, expected, 0),
  "stats-reply-2.json": (folder, expected) => checkReply(folder, expected, 1),
  "etcd.json": checkKeys,
  "events.jsonl": checkEvents,
  "page.http.txt": checkPage,
  "info-reply-1.json": "tests/mock",
  "ping-reply-1.json": "tests/mock",
  "stderr.txt": "tests/mock",
};

Deno.test("every captured folder is expected, and every expected folder is captured", () => {
  const folders = list("").flatMap((release) => list(`${release}/`).map((program) => `${release}/${program}`))
    .filter((folder) => !LATER.test(folder));
  assert.deepEqual(folders.toSorted(), Object.keys(EXPECTED).toSorted());
});

for (const [folder, expected] of Object.entries(EXPECTED)) {
  for (const file of list(`${folder}/`)) {
    Deno.test(`the capture ${folder}/${file} says what was published`, () => {
      const check = CHECKS[file];
      assert.ok(check !== undefined, "no expectation for this file");
      if (typeof check === "function") check(folder, expected);
    });
  }
}

function checkReply(folder: string, { target, shape, replies }: Expectation, index: number): void {
  const [answer, ...more] = readAnswers(folder, target, `stats-reply-${index + 1}.json`);
  assert.ok(answer !== undefined && more.length === 0);
  assert.ok(answer.outcome.kind === "load");
  const { load } = answer.outcome;
  const [waiting, slots, blocks, total, usage, hits, rank] = replies[index]!;
  assert.deepEqual(
    [
      load.shape,
      load.requestsWaiting,
      load.activeSlots,
      load.totalSlots,
      load.activeBlocks,
      load.totalBlocks,
    ],
    [shape, waiting, slots, 100, blocks, total],
  );
  assert.deepEqual([load.cacheUsageRatio, load.prefixHitRatio, load.dpRank], [usage, hits, rank]);
  if (shape === "nested" && rank === 1) {
    assert.deepEqual(load.specDecode, {
      specTokens: 2,
      drafts: 10,
      draftTokens: 20,
      acceptedTokens: 15,
      acceptedTokensPerPosition: [9, 6],
    });
  } else {
    assert.equal(load.specDecode, undefined);
  }
}

/** Both workers are registered under the ids of their leases, with values that we would write to the letter. */
function checkKeys(folder: string, { target }: Expectation): void {
  const { kvs } = JSON.parse(read(folder, "etcd.json")) as {
    kvs: { key: string; value: string; lease_hex: string }[];
  };
  const registered = kvs.flatMap(({ key, value, lease_hex }) => {
    const worker = INSTANCE_KEY_LAYOUTS.map((layout) =>
      parseInstanceKey(key, instanceKeyPrefix(layout, target))
    )
      .find((worker) => worker !== undefined);
    if (worker === undefined) return [];
    assert.equal(worker, workerIdFromHex(lease_hex));
    const subjects = SERVICE_FORMS.map((form) =>
      instanceSubject(serviceName(form, target.namespace, target.component), target.endpoint, worker)
    );
    const subject = subjects.find((subject) => value.includes(`"${subject}"`));
    assert.ok(subject !== undefined, "the subject is of no form of the service name");
    const idField = value.includes("lease_id") ? "lease_id" : "instance_id";
    assert.equal(
      value,
      instanceValue(target, {
        form: { kind: "pretty", idField },
        id: worker,
        transport: { nats_tcp: subject },
      }),
    );
    return [worker];
  });
  const answering = [1, 2].flatMap((n) => readAnswers(folder, target, `stats-reply-${n}.json`));
  assert.deepEqual(registered.toSorted(), answering.map(({ worker }) => worker).toSorted());
}

/** Aggregates are written to the letter as the original wrote them; hit-rate events are read. */
function checkEvents(folder: string, { target }: Expectation): void {
  let hitRates = 0;
  for (const { subject, body } of readEvents(folder)) {
    if (subject === "namespace.dynamo.kv-hit-rate") {
      const event = parseHitRate(body);
      assert.equal(
        body,
        `{"worker_id":${event.worker},"isl_blocks":${event.islBlocks},"overlap_blocks":${event.overlapBlocks}}`,
      );
      hitRates++;
    } else if (subject === l2cSubject(target) && !body.includes('"worker_ids"')) {
      assert.equal(rewriteAggregate(body, target.endpoint), body);
    }
  }
  assert.equal(hitRates, folder === "0.3.2/worker" ? 0 : 3); // 0.3.2 has no router in Python.
}

/** From the same replies and events our page has the same `llm_*` samples as the original's. */
function checkPage(folder: string, { target }: Expectation): void {
  const answers = [1, 2].flatMap((n) => readAnswers(folder, target, `stats-reply-${n}.json`));
  const events = readEvents(folder).filter(({ subject }) => subject === "namespace.dynamo.kv-hit-rate");
  const replies = { answers, replies: 2, ...noRejections() };
  const inputs: FleetInput[] = [
    { kind: "round", round: { ...replies, request: 1, sentAt: now, endedAt: now, outcome: "all_answered" } },
  ];
  let fleet: Fleet = emptyFleet(target);
  for (const input of inputs) ({ fleet } = apply(fleet, input, { now, limits }));
  const hitRates = addHitRates(NO_HIT_RATES, events.map(({ body }) => parseHitRate(body)), 0);
  const namespace = namespaceSnapshot(target.namespace, hitRates);
  const targets = [snapshotTarget(fleet, { now, limits, namespace })];
  const connections = [natsConnection()];
  const ours = renderText({ seq: 1, at: now, connections, namespaces: [namespace], targets }, []);
  assert.deepEqual(originalLines(ours), originalLines(read(folder, "page.http.txt")));
}

function originalLines(page: string): string[] {
  return page.split(/\r?\n/).filter((line) => /^(# \w+ )?llm_/.test(line)).toSorted();
}

function rewriteAggregate(body: string, endpoint: string): string {
  const { endpoints, load_avg, load_std } = JSON.parse(body) as {
    endpoints: Record<string, { subject: string; data: { engine_load_metrics?: unknown } }>;
    load_avg: number | null;
    load_std: number | null;
  };
  const ids = [...body.matchAll(/"(\d{10,})":\{/g)].map(([, id]) => id as WorkerId); // Objects order such keys anew.
  const event = new L2cWriter();
  for (const worker of ids) {
    const { subject, data } = endpoints[worker]!;
    const head = l2cHead(worker, { service: subject.split(".")[0]!, endpoint });
    event.add(head, parseLoad(data.engine_load_metrics ?? data));
  }
  return new TextDecoder().decode(event.end({ loadAvg: load_avg ?? NaN, loadStd: load_std ?? NaN }));
}

function readAnswers(folder: string, target: Target, file: string): readonly Answer[] {
  const data = new TextEncoder().encode(read(folder, file));
  return SERVICE_FORMS.flatMap((form) => {
    const service = serviceName(form, target.namespace, target.component);
    const { answers, rejected, rejectedEntries } = readReply(data, {
      service,
      endpoint: target.endpoint,
      request: 1,
      at: now,
    });
    assert.deepEqual([rejected, rejectedEntries], [undefined, noRejections().rejectedEntries]);
    return answers;
  });
}

function readEvents(folder: string): { subject: string; body: string }[] {
  return read(folder, "events.jsonl").trim().split("\n").map((line) => JSON.parse(line));
}

function read(folder: string, file: string): string {
  return Deno.readTextFileSync(new URL(`${folder}/${file}`, CAPTURES));
}

function list(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, CAPTURES))].map(({ name }) => name);
}
