import assert from "node:assert/strict";
import { openEtcd } from "../../lib/transport/etcd_client.ts";
import { EtcdMirror } from "../../lib/transport/etcd_mirror.ts";
import { putKeysUnderLease } from "../../tools/etcd_gateway.ts";
import { startEtcd } from "../../tools/servers/etcd.ts";
import { eventually } from "../helpers/eventually.ts";

const PREFIX = "v1/instances/dynamo/c/e/";
/** Limits shortened, so that faults are known soon. */
const limits = { callMs: 500, retryMs: 50, relistMs: 200 };

function mirror(url: string, options: { relistMs?: number } = {}) {
  return new EtcdMirror([{ prefix: PREFIX, withValues: true }], {
    endpoints: [url],
    signal: new AbortController().signal,
    ...limits,
    ...options,
  });
}

async function change(url: string, keys: { put?: string[]; drop?: string[] }): Promise<void> {
  using client = await openEtcd(url);
  for (const key of keys.put ?? []) await client.etcd.put(key).value("x");
  for (const key of keys.drop ?? []) await client.etcd.delete().key(key);
}

Deno.test("the mirror has the keys below its prefix, and follows what comes and goes", async () => {
  await using etcd = await startEtcd();
  await change(etcd.url, { put: [`${PREFIX}a1`, "v1/instances/dynamo/c/other/a1"] });
  await using mirrored = mirror(etcd.url);
  let changes = 0;
  mirrored.listen(() => changes++);
  await eventually(() => assert.deepEqual([...mirrored.entries(PREFIX).keys()], [`${PREFIX}a1`]));
  assert.ok(mirrored.connected);
  await change(etcd.url, { put: [`${PREFIX}a2`], drop: [`${PREFIX}a1`] });
  await eventually(() => assert.deepEqual([...mirrored.entries(PREFIX).keys()], [`${PREFIX}a2`]));
  assert.ok(changes > 0);
});

Deno.test("started before etcd, the mirror is true once etcd is there", async () => {
  await using etcd = await startEtcd();
  await change(etcd.url, { put: [`${PREFIX}a1`] });
  await etcd.stop();
  await using mirrored = mirror(etcd.url);
  assert.ok(!mirrored.connected);
  await etcd.start();
  await eventually(() => assert.deepEqual([...mirrored.entries(PREFIX).keys()], [`${PREFIX}a1`]));
});

Deno.test("while etcd is away the last keys stand, and after its restart new ones are followed", async () => {
  await using etcd = await startEtcd();
  await change(etcd.url, { put: [`${PREFIX}a1`] });
  await using mirrored = mirror(etcd.url);
  await eventually(() => assert.equal(mirrored.entries(PREFIX).size, 1));
  await etcd.kill();
  await eventually(() => assert.ok(!mirrored.connected));
  assert.equal(mirrored.entries(PREFIX).size, 1);
  await etcd.start();
  await eventually(() => assert.ok(mirrored.connected));
  await change(etcd.url, { put: [`${PREFIX}a2`] });
  await eventually(() => assert.equal(mirrored.entries(PREFIX).size, 2));
});

Deno.test("an etcd that comes back without its data empties the mirror, and is followed", async () => {
  await using etcd = await startEtcd();
  await change(etcd.url, { put: [`${PREFIX}a1`, `${PREFIX}a2`, `${PREFIX}a3`] });
  await using mirrored = mirror(etcd.url);
  await eventually(() => assert.equal(mirrored.entries(PREFIX).size, 3));
  await etcd.wipe();
  await eventually(() => assert.deepEqual([mirrored.connected, mirrored.entries(PREFIX).size], [true, 0]));
  await change(etcd.url, { put: [`${PREFIX}b1`] });
  await eventually(() => assert.deepEqual([...mirrored.entries(PREFIX).keys()], [`${PREFIX}b1`]));
});

Deno.test("an etcd that hangs is known, and is true again when it goes on", async () => {
  await using etcd = await startEtcd();
  await change(etcd.url, { put: [`${PREFIX}a1`] });
  await using mirrored = mirror(etcd.url);
  await eventually(() => assert.ok(mirrored.connected));
  await etcd.pause();
  await eventually(() => assert.ok(!mirrored.connected));
  etcd.resume();
  await eventually(() => assert.ok(mirrored.connected));
});

Deno.test("values and leases are there from the list, the watch and the list anew", async () => {
  await using etcd = await startEtcd();
  await change(etcd.url, { put: [`${PREFIX}a1`] });
  await using mirrored = mirror(etcd.url);
  const values = () =>
    [...mirrored.entries(PREFIX)].map(([key, { value }]) => [key.slice(PREFIX.length), value]);
  await eventually(() => assert.deepEqual(values(), [["a1", "x"]]));
  using client = await openEtcd(etcd.url);
  await client.etcd.put(`${PREFIX}a1`).value("y");
  await eventually(() => assert.deepEqual(values(), [["a1", "y"]]));
  const lease = await putKeysUnderLease(etcd.url, [`${PREFIX}a2`]);
  await eventually(() => assert.equal(mirrored.entries(PREFIX).get(`${PREFIX}a2`)?.lease, lease));
  assert.equal(mirrored.entries(PREFIX).get(`${PREFIX}a1`)?.lease, undefined);
  await etcd.kill();
  await eventually(() => assert.ok(!mirrored.connected));
  await etcd.start();
  await client.etcd.put(`${PREFIX}a1`).value("z");
  await eventually(() => assert.deepEqual(values(), [["a1", "z"], ["a2", ""]]));
});

Deno.test("while keys come, change and go without a pause, and etcd is asked all the time, none is missed", async () => {
  await using etcd = await startEtcd();
  await using mirrored = mirror(etcd.url, { relistMs: 1 });
  await eventually(() => assert.ok(mirrored.connected));
  using client = await openEtcd(etcd.url);
  const expected = new Map<string, string>();
  for (let n = 0; n < 60; n++) {
    await Promise.all(Array.from({ length: 40 }, async (_, k) => {
      const key = `${PREFIX}${k}`;
      if ((n + k) % 5 === 0 && expected.delete(key)) return void await client.etcd.delete().key(key);
      expected.set(key, String(n));
      await client.etcd.put(key).value(String(n));
    }));
  }
  await eventually(() => {
    const shown = new Map([...mirrored.entries(PREFIX)].map(([key, { value }]) => [key, value]));
    assert.deepEqual(shown, expected);
  });
});
