import assert from "node:assert/strict";
import { type ServiceForm, serviceName } from "../../lib/dynamo/service_name.ts";
import { instanceSubject, parseInstanceSubject } from "../../lib/dynamo/subject.ts";
import { instanceKey, instanceKeyPrefix, parseInstanceKey } from "../../lib/dynamo/instance_key.ts";
import { isName } from "../../lib/dynamo/target.ts";
import {
  compareWorkerIds,
  type WorkerId,
  workerIdFromHex,
  workerIdFromInteger,
  workerIdToHex,
} from "../../lib/dynamo/worker_id.ts";

/** From real deployments, or computed from the releases' own code. */
const services: readonly [namespace: string, component: string, Record<ServiceForm, string>][] = [
  ["triton-init", "backend", {
    A: "triton_init_backend_720278f8",
    B: "triton_init_backend_cdf1ba9a",
    C: "triton-init_backend",
  }],
  ["dynamo", "my_component", {
    A: "dynamo_my_component_5e37f4fe",
    B: "dynamo_my_component_1854ce00",
    C: "dynamo_my_component",
  }],
  ["dynamo", "MyComponent", {
    A: "dynamo_mycomponent_e21cc70a",
    B: "dynamo_mycomponent_593024f1",
    C: "dynamo_mycomponent",
  }],
  ["dynamo", "VllmWorker", {
    A: "dynamo_vllmworker_f3e86392",
    B: "dynamo_vllmworker_3f6fafd3",
    C: "dynamo_vllmworker",
  }],
  ["my-ns", "prefill", { A: "my_ns_prefill_b1676925", B: "my_ns_prefill_bd0ec1a0", C: "my-ns_prefill" }],
];

for (const [namespace, component, forms] of services) {
  for (const [form, name] of Object.entries(forms)) {
    Deno.test(`the service name of ${namespace}/${component} in form ${form} is ${name}`, () => {
      assert.equal(serviceName(form as ServiceForm, namespace, component), name);
    });
  }
}

const hexes: readonly [hex: string, id: string | undefined][] = [
  ["a1", "161"],
  ["A1Ff", "41471"],
  ["00000000000000a1", "161"],
  ["0", "0"],
  ["694d951a80e06bb6", "7587884888253033398"],
  ["8000000000000000", "9223372036854775808"],
  ["ffffffffffffffff", "18446744073709551615"],
  ["0ffffffffffffffff", "18446744073709551615"],
  ["10000000000000000", undefined],
  ["", undefined],
  ["zz", undefined],
  ["-1", undefined],
  ["0x1", undefined],
  ["a1 ", undefined],
];

for (const [hex, id] of hexes) {
  Deno.test(`the hexadecimal text "${hex}" names ${id ? `worker ${id}` : "no worker"}`, () => {
    const read = workerIdFromHex(hex);
    assert.equal(read, id);
    if (read !== undefined) assert.equal(workerIdFromHex(workerIdToHex(read)), read);
  });
}

Deno.test("an integer names a worker while it has all its digits", () => {
  assert.equal(workerIdFromInteger(7), "7");
  assert.equal(workerIdFromInteger(18446744073709551615n), "18446744073709551615");
  for (const wrong of [2 ** 53, -1, 1.5, NaN, -1n, 2n ** 64n, "7", null, undefined, [7]]) {
    assert.equal(workerIdFromInteger(wrong), undefined, String(wrong));
  }
});

Deno.test("ids are ordered by number", () => {
  const ids = ["10", "9", "18446744073709551615", "0", "9223372036854775808"] as WorkerId[];
  assert.deepEqual(ids.toSorted(compareWorkerIds), [
    "0",
    "9",
    "10",
    "9223372036854775808",
    "18446744073709551615",
  ]);
});

const subjects: readonly [subject: string, name: ReturnType<typeof parseInstanceSubject>][] = [
  ["svc.load_metrics-a1", { endpoint: "load_metrics", worker: "161" as WorkerId }],
  ["svc.load_metrics2-a1", { endpoint: "load_metrics2", worker: "161" as WorkerId }],
  ["svc.gen-image-a1", { endpoint: "gen-image", worker: "161" as WorkerId }],
  ["svc.chat/completions-a1", { endpoint: "chat/completions", worker: "161" as WorkerId }],
  ["svc.a.b-a1", { endpoint: "a.b", worker: "161" as WorkerId }],
  ["svc.load_metrics", { endpoint: "load_metrics", worker: undefined }],
  ["svc.load_metrics-xyz", { endpoint: "load_metrics", worker: undefined }],
  ["svc.load_metrics-", { endpoint: "load_metrics", worker: undefined }],
  ["svc2.load_metrics-a1", undefined],
  ["svc", undefined],
  ["", undefined],
];

for (const [subject, name] of subjects) {
  Deno.test(`the subject "${subject}" names ${JSON.stringify(name) ?? "nothing of this service"}`, () => {
    assert.deepEqual(parseInstanceSubject(subject, "svc"), name);
    if (name?.worker) assert.equal(instanceSubject("svc", name.endpoint, name.worker), subject);
  });
}

Deno.test("an instance key is read in its own layout alone, and by the whole name of the endpoint", () => {
  const target = { namespace: "ns", component: "Comp", endpoint: "gen" };
  const id = workerIdFromHex("a1")!;
  assert.equal(instanceKey("components", target, id), "ns/components/Comp/gen:a1");
  assert.equal(instanceKey("instances", target, id), "instances/ns/Comp/gen:a1");
  assert.equal(instanceKey("v1", target, id), "v1/instances/ns/Comp/gen/a1");
  const prefix = instanceKeyPrefix("v1", target);
  assert.equal(parseInstanceKey("v1/instances/ns/Comp/gen/a1", prefix), id);
  for (
    const key of [
      "v1/instances/ns/Comp/gen2/a1",
      "v1/instances/ns/Comp/gen/a1/x",
      "v1/instances/ns/Comp/gen/",
    ]
  ) {
    assert.equal(parseInstanceKey(key, prefix), undefined, key);
  }
});

Deno.test("a name may hold what Dynamo's names hold, and nothing that a NATS subject cannot", () => {
  for (const name of ["dynamo", "VllmWorker", "my-ns", "parent.child", "chat/completions", "ä", "a:b"]) {
    assert.ok(isName(name), name);
  }
  for (
    const name of [
      "",
      " ",
      "a b",
      "a\tb",
      "a\n",
      "*",
      "a*",
      ">",
      "a\u0000",
      "a\u007f",
      "a\u00a0b",
      ".a",
      "a.",
      "a..b",
    ]
  ) {
    assert.ok(!isName(name), JSON.stringify(name));
  }
});
