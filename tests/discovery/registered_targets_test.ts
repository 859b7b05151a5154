import assert from "node:assert/strict";
import { registeredTargets } from "../../lib/discovery/registered_targets.ts";
import { instanceKey, type InstanceKeyLayout } from "../../lib/dynamo/instance_key.ts";
import { FILE_EXPIRES_AFTER_MS, parseFileName } from "../../lib/dynamo/file_name.ts";
import type { WorkerId } from "../../lib/dynamo/worker_id.ts";
import { EtcdMirror } from "../../lib/transport/etcd_mirror.ts";
import { FileStore } from "../../lib/transport/file_store.ts";
import { putKeys } from "../../tools/etcd_gateway.ts";
import { startEtcd } from "../../tools/servers/etcd.ts";
import { eventually } from "../helpers/eventually.ts";

const NAMESPACE = "n";

function keys(layout: InstanceKeyLayout, path: string, count = 1): string[] {
  const [namespace, component, endpoint] = path.split("/");
  const target = { namespace: namespace!, component: component!, endpoint: endpoint! };
  return Array.from({ length: count }, (_, n) => instanceKey(layout, target, String(n + 1) as WorkerId));
}

/** A store of these keys, which counts how often it is asked. */
function storeOf(stored: readonly string[]) {
  const sorted = stored.toSorted();
  const store = {
    asked: 0,
    firstKey(from: string, before: string): Promise<string | undefined> {
      store.asked++;
      return Promise.resolve(sorted.find((key) => key >= from && key < before));
    },
  };
  return store;
}

Deno.test("each endpoint with instances is named once, by one question, of every layout", async () => {
  const store = storeOf([
    ...keys("components", "n/old/generate", 300),
    ...keys("components", "other/old/generate"),
    ...keys("instances", "n/c/generate", 300),
    ...keys("instances", "n/c/generate2"),
    ...keys("v1", "a/b/c", 300),
    ...keys("v1", "n/c/generate"),
    "v1/instances/odd",
    "v1/mdc/n/c/generate/1",
  ]);
  assert.deepEqual(await registeredTargets(store, { namespace: NAMESPACE, limit: 10 }), [
    "n/old/generate",
    "n/c/generate2", // "2" comes before ":", which ends the name.
    "n/c/generate",
    "a/b/c",
  ]);
  assert.ok(store.asked <= 9, String(store.asked));
});

Deno.test("of many endpoints the first are named", async () => {
  const store = storeOf(Array.from({ length: 50 }, (_, n) => keys("v1", `n/c${100 + n}/generate`)).flat());
  const found = await registeredTargets(store, { namespace: NAMESPACE, limit: 10 });
  assert.deepEqual([found.length, found[0], found[9]], [10, "n/c100/generate", "n/c109/generate"]);
});

Deno.test("a real etcd is asked for what is registered, beside the keys that are followed", async () => {
  await using etcd = await startEtcd();
  await putKeys(etcd.url, [...keys("v1", "n/c/generate", 3), ...keys("instances", "m/d/generate")]);
  const { signal } = new AbortController();
  await using store = new EtcdMirror([{ prefix: "x/", withValues: false }], {
    endpoints: [etcd.url],
    signal,
  });
  await assert.rejects(store.firstKey("a", "z"));
  await eventually(() => assert.ok(store.connected));
  assert.deepEqual(await registeredTargets(store, { namespace: NAMESPACE, limit: 10 }), [
    "m/d/generate",
    "n/c/generate",
  ]);
});

Deno.test("the folder of file discovery is asked for what is registered, without files of the dead", async () => {
  const folder = await Deno.makeTempDir();
  const put = async (path: string) => {
    const name = encodeURIComponent(keys("v1", path)[0]!.slice("v1/instances/".length));
    await Deno.mkdir(`${folder}/v1/instances`, { recursive: true });
    const file = `${folder}/v1/instances/${name}`;
    await Deno.writeTextFile(file, "{}");
    return file;
  };
  await put("n/c/generate");
  await Deno.utime(await put("n/dead/generate"), 1, 1);
  const { signal } = new AbortController();
  const options = { folder, keyOf: parseFileName, expiresAfterMs: FILE_EXPIRES_AFTER_MS, signal };
  await using store = new FileStore([], options);
  assert.deepEqual(await registeredTargets(store, { namespace: NAMESPACE, limit: 10 }), ["n/c/generate"]);
  await Deno.remove(folder, { recursive: true });
});
