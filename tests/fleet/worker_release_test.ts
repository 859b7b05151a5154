import assert from "node:assert/strict";
import { CONNECTED } from "../helpers/instances.ts";
import { Directory, storedRanges } from "../../lib/discovery/directory.ts";
import type { Target } from "../../lib/dynamo/target.ts";
import { workerIdFromHex } from "../../lib/dynamo/worker_id.ts";
import { releasesByService, workerRelease } from "../../lib/fleet/worker_release.ts";
import { type Answer, readReply } from "../../lib/scrape/answer.ts";
import type { KeyStore, StoredKey } from "../../lib/transport/key_store.ts";
import { at } from "../helpers/fleet_steps.ts";

const TESTDATA = new URL("../testdata/", import.meta.url);
const MOCK = { namespace: "dynamo", component: "my_component", endpoint: "my_endpoint" };
const LATE_MOCK = { ...MOCK, component: "MyComponent" };
const ASKED = { namespace: "dynamo", component: "VllmWorker", endpoint: "load_metrics" };
const SERVING = { ...ASKED, endpoint: "generate" };
const BACKEND = { ...SERVING, component: "backend" };

/** What is told of a worker by its keys and, where it has one, its reply. */
const CAPTURES: readonly (readonly [folder: string, target: Target, release: string])[] = [
  ["captures/0.1.0/original-mock_worker", MOCK, "0.1.0"],
  ["captures/0.1.1/original-mock_worker", MOCK, "0.1.1-0.2.0"],
  ["captures/0.1.1/worker", ASKED, "0.1.1-0.2.0"],
  ["captures/0.2.1/original-mock_worker", MOCK, "0.2.1"],
  ["captures/0.2.1/worker", ASKED, "0.2.1"],
  ["captures/0.3.0/original-mock_worker", MOCK, "0.3.0-0.3.1"],
  ["captures/0.3.0/worker", ASKED, "0.3.0-0.3.1"],
  ["captures/0.3.2/original-mock_worker", LATE_MOCK, "0.3.2-0.5.1"],
  ["captures/0.3.2/worker", ASKED, "0.3.2-0.5.1"],
  ["captures/0.5.0/worker", ASKED, "0.3.2-0.5.1"],
  ["captures/0.6.0/worker", ASKED, "0.6.0"],
  ["captures/0.7.1/worker", SERVING, "0.7.1"],
  ["captures/0.8.1/worker", SERVING, "0.8.1-1.1.1"],
  ["captures/0.8.1/worker-nats-plane", SERVING, "0.8.1"],
  ["captures/0.9.1/worker", SERVING, "0.9.1-1.1.1"],
  ["captures/0.9.1/worker-nats-plane", SERVING, "0.9.1"],
  ["captures/1.2.1/worker", SERVING, "1.1.1-1.2.1"],
  ["captures/1.2.1/worker-nats-plane", SERVING, "1.2.1"],
  ["captures/1.6.1/worker", SERVING, "1.5.1+"],
  ["captures/1.6.1/worker-nats-plane", SERVING, "1.6.1"],
  ["modern/0.9.1-default", BACKEND, "0.9.1"],
  ["modern/1.2.1-default", BACKEND, "1.1.1-1.2.1"],
  ["modern/1.6.1-default", BACKEND, "1.5.1+"],
];

for (const [folder, target, release] of CAPTURES) {
  Deno.test(`the captured workers ${folder} are of ${release}`, () => {
    const [listed] = new Directory(capturedStore(folder, target), target).take();
    const { workers } = listed!.membership;
    assert.ok(workers.size > 0);
    const byService = releasesByService(target);
    const answers = capturedAnswers(folder, [...byService.keys()], target);
    for (const [worker, { releases }] of workers) {
      const answer = answers.find((answer) => answer.worker === worker);
      assert.equal(workerRelease({ registered: releases, answer, byService }), release);
    }
  });
}

Deno.test("since 0.6.1 a worker that answers names its release", () => {
  assert.equal(releaseOf({ serviceVersion: "0.7.0-post1" }), "0.7.0-post1");
  assert.equal(releaseOf({ serviceVersion: `1.2.1${"x".repeat(100)}` })!.length, 64);
});

Deno.test("a version that is none says nothing, and one that its other signs deny neither", () => {
  assert.equal(releaseOf({ serviceVersion: undefined, service: "dynamo_c" }), "0.2.1+");
  assert.equal(releaseOf({ serviceVersion: "latest", service: "dynamo_c" }), "0.2.1+");
  assert.equal(releaseOf({ serviceVersion: "latest", service: "x" }), undefined);
  assert.equal(
    releaseOf({ serviceVersion: "0.0.1", service: [...releasesByService(MOCK).keys()][0]!, shape: "nested" }),
    undefined,
  );
});

function releaseOf(
  { service = "dynamo_c", serviceVersion, shape }: {
    service?: string;
    serviceVersion: string | undefined;
    shape?: "nested";
  },
): string | undefined {
  const outcome: Answer["outcome"] = shape === undefined ? { kind: "no_data" } : {
    kind: "load",
    load: { shape, activeSlots: 0, totalSlots: 1, activeBlocks: 0, totalBlocks: 1 },
  };
  const worker = workerIdFromHex("a1")!;
  return workerRelease({
    registered: -1,
    answer: { worker, request: 1, at: at(0), service, serviceVersion, outcome, endpoints: [] },
    byService: new Map([...releasesByService({ ...MOCK, component: "c" }), ...releasesByService(MOCK)]),
  });
}

interface CapturedKeys {
  readonly kvs: readonly { readonly key: string; readonly value: string; readonly lease_hex?: string }[];
}

function capturedStore(folder: string, target: Target): KeyStore {
  const text = Deno.readTextFileSync(new URL(`${folder}/etcd.json`, TESTDATA));
  const { kvs } = JSON.parse(text) as CapturedKeys;
  const entries = (prefix: string): Map<string, StoredKey> =>
    new Map(
      kvs.filter(({ key }) => key.startsWith(prefix)).map(({ key, value, lease_hex }) => [key, {
        value: storedRanges([target]).find((range) => range.prefix === prefix)!.withValues ? value : "",
        lease: lease_hex && workerIdFromHex(lease_hex),
        version: "1",
      }]),
    );
  const listen = () => ({ [Symbol.dispose]() {} });
  const firstKey = () => Promise.resolve(undefined);
  const named = { kind: "etcd", name: "etcd" };
  return { ...named, connected: true, state: CONNECTED, tried: true, entries, firstKey, listen };
}

function capturedAnswers(folder: string, services: readonly string[], { endpoint }: Target): Answer[] {
  const replies = [...Deno.readDirSync(new URL(folder, TESTDATA))]
    .filter(({ name }) => name.startsWith("stats-reply-"))
    .map(({ name }) => Deno.readFileSync(new URL(`${folder}/${name}`, TESTDATA)));
  return replies.flatMap((data) =>
    services.flatMap((service) => [
      ...readReply(data, { service, endpoint, request: 1, at: at(0) }).answers,
    ])
  );
}
