import assert from "node:assert/strict";
import { workerIdToHex } from "../../lib/dynamo/worker_id.ts";
import { type MockWorkerOptions, type MockWorkers, startMockWorker } from "../../lib/mock/mock_workers.ts";
import { startEtcd } from "../../tools/servers/etcd.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { eventually } from "../helpers/eventually.ts";
import { etcdKeys, leaseTtl, requirePassword, revokeLease } from "../../tools/etcd_gateway.ts";
import { NatsObserver } from "../helpers/nats_observer.ts";
import { BindError } from "../../lib/transport/bind_error.ts";
import { freePorts } from "../../tools/servers/ports.ts";
import { USER } from "../../tools/nats_users.ts";

const TARGET = { namespace: "dynamo", component: "my_component", endpoint: "my_endpoint" };
const SERVICE = "dynamo_my_component_1854ce00";

Deno.test("each worker has a key under a lease of ten seconds, whose id is the worker's", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  {
    await using mock = start({ nats, etcd, workers: 3 });
    const ids = await found(mock, 3);
    const keys = await etcdKeys(etcd.url);
    assert.equal(keys.length, 3);
    for (const { key, value, lease } of keys) {
      assert.ok(ids.some((id) => id === lease));
      assert.equal(key, `dynamo/components/my_component/my_endpoint:${BigInt(lease).toString(16)}`);
      assert.ok(value.includes(`"lease_id": ${lease},`));
      assert.equal(await leaseTtl(etcd.url, lease), "10");
    }
  }
  assert.deepEqual(await etcdKeys(etcd.url), []);
});

Deno.test("a worker of 1.6.1 has its keys under one lease of 30 seconds, without any NATS", async () => {
  await using etcd = await startEtcd();
  {
    await using mock = start({ nats: { url: "nats://127.0.0.1:1" }, etcd, release: "1.6.1", workers: 2 });
    const ids = await found(mock, 2);
    const byLease = Map.groupBy(await etcdKeys(etcd.url), ({ lease }) => lease);
    assert.deepEqual([...byLease.keys()].toSorted(), ids.toSorted());
    for (const [lease, keys] of byLease) {
      assert.deepEqual(keys.map(({ key }) => key.split("/")[1]).toSorted(), [
        "event_channels",
        "event_channels",
        "instances",
        "mdc",
      ]);
      assert.equal(await leaseTtl(etcd.url, lease), "30");
    }
  }
  assert.deepEqual(await etcdKeys(etcd.url), []);
});

Deno.test("each worker has a page of its own, which its card names, for as long as it is there", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  const pages: string[] = [];
  {
    await using mock = start({
      nats,
      etcd,
      release: "1.6.1",
      workers: 2,
      systemPort: 0,
      steady: true,
      seed: "3",
    });
    const ids = await found(mock, 2);
    for (const { key, value } of (await etcdKeys(etcd.url)).filter(({ key }) => key.startsWith("v1/mdc/"))) {
      pages.push(`${/"path":"(http:\/\/[^/"]+)\/v1\/metadata/.exec(value)![1]}/metrics`);
      const page = await (await fetch(pages.at(-1)!)).text();
      const hex = key.split("/").at(-1)!;
      assert.ok(ids.some((id) => workerIdToHex(id) === hex));
      assert.ok(page.includes(`worker_id="${hex}"} `));
      const other = await fetch(pages.at(-1)!.replace("/metrics", "/health"));
      assert.deepEqual([other.status, await other.text()], [404, "not found; see /metrics\n"]);
    }
    assert.equal(new Set(pages).size, 2);
  }
  for (const page of pages) await assert.rejects(fetch(page), TypeError);
});

Deno.test("the page of a worker that is asked for its load says what it answered last, and its port is its own", async () => {
  await using nats = await startNats();
  await using observer = await NatsObserver.connect(nats.url);
  const [systemPort = 0] = freePorts(1);
  await using mock = start({ nats, release: "0.6.0", systemPort });
  await found(mock, 1);
  for (let n = 0; n < 3; n++) {
    const [stats = ""] = await observer.ask("$SRV.STATS.dynamo_my_component");
    const { kv_stats } = JSON.parse(stats).endpoints[0].data;
    const page = await (await fetch(`http://127.0.0.1:${systemPort}/metrics`)).text();
    assert.match(
      page,
      new RegExp(`^dynamo_component_kvstats_active_blocks\\S+ ${kv_stats.kv_active_blocks}$`, "m"),
    );
  }
  assert.throws(() => start({ nats, release: "0.6.0", systemPort }), (error) => {
    assert.ok(error instanceof BindError);
    assert.match(
      error.message,
      new RegExp(`^Failed to bind to port ${systemPort}: .*The port may be in use\\.$`),
    );
    return true;
  });
});

Deno.test("a key lives on beyond its lease's first time", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  await using mock = start({ nats, etcd, ttlSeconds: 1 });
  const ids = await found(mock, 1);
  const foundMs = performance.now();
  await eventually(() => assert.ok(performance.now() > foundMs + 4_000));
  assert.deepEqual([mock.ids, (await etcdKeys(etcd.url)).map(({ lease }) => lease)], [ids, ids]);
});

Deno.test("workers answer PING, INFO and STATS to all three forms of address, each for itself", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  await using observer = await NatsObserver.connect(nats.url);
  {
    await using mock = start({ nats, etcd, workers: 3 });
    const ids = await found(mock, 3);
    for (const verb of ["PING", "INFO", "STATS"]) {
      const instances: string[] = [];
      for (const subject of [`$SRV.${verb}`, `$SRV.${verb}.${SERVICE}`]) {
        const answers = (await observer.ask(subject, { count: 3 })).map((text) => JSON.parse(text));
        assert.equal(answers.length, 3);
        for (const { type, name, id, version } of answers) {
          assert.equal(type, `io.nats.micro.v1.${verb.toLowerCase()}_response`);
          assert.deepEqual([name, version], [SERVICE, "0.0.1"]);
          assert.match(id, /^[0-9A-Za-z]{22}$/);
          instances.push(id);
        }
      }
      assert.equal(new Set(instances).size, 3);
      const [instance] = instances;
      const [answer, ...more] = await observer.ask(`$SRV.${verb}.${SERVICE}.${instance}`);
      assert.deepEqual([JSON.parse(answer!).id, more], [instance, []]);
    }
    const stats = await observer.ask(`$SRV.STATS.${SERVICE}`, { count: 3 });
    const subjects = stats.map((text) => JSON.parse(text).endpoints[0].subject);
    assert.deepEqual(subjects.sort(), ids.map((id) => `${SERVICE}.my_endpoint-${workerIdToHex(id)}`).sort());
  }
  assert.deepEqual(await observer.ask(`$SRV.STATS.${SERVICE}`), ["nobody"]);
});

Deno.test("a question for an instance that is not there is nobody's", async () => {
  await using nats = await startNats();
  await using mock = start({ nats });
  await found(mock, 1);
  await using observer = await NatsObserver.connect(nats.url);
  assert.deepEqual(await observer.ask(`$SRV.PING.${SERVICE}.AAAAAAAAAAAAAAAAAAAAAA`), ["nobody"]);
  assert.deepEqual(await observer.ask(`$SRV.PING.dynamo_my_component`), ["nobody"]);
});

Deno.test("an event comes from each worker at once and then each second, until the end", async () => {
  await using nats = await startNats();
  await using observer = await NatsObserver.connect(nats.url);
  const events = await observer.listen("namespace.dynamo.kv-hit-rate");
  {
    await using _mock = start({ nats, workers: 2, seed: "5" });
    await eventually(() => assert.ok(events.length >= 6));
  }
  await observer.connection.flush();
  const count = events.length;
  const workers = Map.groupBy(events, ({ text }) => JSON.parse(text).worker_id as number);
  assert.equal(workers.size, 2);
  for (const [worker, own] of workers) {
    assert.ok(worker >= 1 && worker <= 1000);
    for (let n = 1; n < own.length; n++) {
      const gapMs = own[n]!.atMs - own[n - 1]!.atMs;
      assert.ok(gapMs > 500, `${gapMs} ms`); // Not more often; how much later, the machine decides.
    }
    for (const { text } of own) {
      assert.match(text, /^\{"worker_id":\d+,"isl_blocks":\d+,"overlap_blocks":\d+\}$/);
    }
  }
  await eventually(() => assert.ok(performance.now() > events.at(-1)!.atMs + 1_100));
  assert.equal(events.length, count);
});

Deno.test("without events nothing is published, and without etcd the ids come from the seed", async () => {
  await using nats = await startNats();
  await using observer = await NatsObserver.connect(nats.url);
  const messages = await observer.listen("namespace.>");
  const options = { nats, workers: 2, seed: "7", steady: true, events: false };
  const answers: string[][] = [];
  for (let n = 0; n < 2; n++) {
    await using mock = start(options);
    assert.equal((await found(mock, 2))[0], "5358890231945069766");
    for (let m = 0; m < 2; m++) {
      const stats = await observer.ask("$SRV.STATS", { count: 2 });
      answers.push(stats.map((text) => JSON.stringify(JSON.parse(text).endpoints)).sort());
    }
  }
  for (const again of answers) assert.deepEqual(again, answers[0]);
  assert.deepEqual(messages, []);
});

Deno.test("a worker whose lease was taken away registers again, under another id and subject", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  await using observer = await NatsObserver.connect(nats.url);
  await using mock = start({ nats, etcd, workers: 2, ttlSeconds: 2 });
  const [first, second] = await found(mock, 2);
  await revokeLease(etcd.url, first!);
  const ids = await eventually(() => {
    assert.ok(mock.ids.length === 2 && !mock.ids.includes(first!));
    return mock.ids;
  });
  assert.ok(ids.includes(second!));
  assert.deepEqual((await etcdKeys(etcd.url)).map(({ lease }) => lease).sort(), [...ids].sort());
  const stats = await observer.ask(`$SRV.STATS.${SERVICE}`, { count: 2 });
  const subjects = stats.map((text) => JSON.parse(text).endpoints[0].subject);
  assert.deepEqual(subjects.sort(), ids.map((id) => `${SERVICE}.my_endpoint-${workerIdToHex(id)}`).sort());
});

Deno.test("an etcd that lost everything is told again, one that lost nothing keeps the id", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  await using mock = start({ nats, etcd });
  const ids = await found(mock, 1);

  await etcd.stop();
  await etcd.start();
  await eventually(async () => assert.deepEqual((await etcdKeys(etcd.url)).map(({ lease }) => lease), ids));
  assert.deepEqual(mock.ids, ids);

  await etcd.wipe();
  const [key] = await eventually(async () => {
    const keys = await etcdKeys(etcd.url);
    assert.equal(keys.length, 1);
    return keys;
  });
  await eventually(() => assert.deepEqual(mock.ids, [key!.lease]));
  assert.notDeepEqual(mock.ids, ids);
});

Deno.test("an etcd that stood still holds the workers afterwards", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  await using mock = start({ nats, etcd, ttlSeconds: 2, callMs: 300 });
  await found(mock, 1);
  await etcd.pause();
  const pausedMs = performance.now();
  await eventually(() => assert.ok(performance.now() > pausedMs + 1_500));
  etcd.resume();
  await eventually(async () => {
    assert.equal(mock.ids.length, 1);
    assert.deepEqual((await etcdKeys(etcd.url)).map(({ lease }) => lease), mock.ids);
    assert.equal(await leaseTtl(etcd.url, mock.ids[0]!), "2");
  });
});

Deno.test("an etcd with a password is told, and told again when it lost everything", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  const auth = { username: "root", password: "secret" };
  await requirePassword(etcd.url, auth);
  await using mock = start({ nats, etcd, auth });
  const [id] = await found(mock, 1);
  await etcd.wipe();
  await requirePassword(etcd.url, auth);
  await eventually(() => assert.ok(mock.ids.length === 1 && mock.ids[0] !== id));
});

Deno.test("a restarted NATS hears the workers again", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  await using mock = start({ nats, etcd, workers: 2 });
  const ids = await found(mock, 2);
  await nats.stop();
  await eventually(() => assert.deepEqual(mock.ids, []));
  await nats.start();
  assert.deepEqual(await found(mock, 2), ids);
  await using observer = await NatsObserver.connect(nats.url);
  const events = await observer.listen("namespace.dynamo.kv-hit-rate");
  assert.equal((await observer.ask(`$SRV.STATS.${SERVICE}`, { count: 2 })).length, 2);
  await eventually(() => assert.ok(events.length >= 2));
});

Deno.test("workers started before etcd and NATS are there once both are", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  await Promise.all([nats.stop(), etcd.stop()]);
  await using mock = start({ nats, etcd });
  await etcd.start();
  await eventually(async () => assert.equal((await etcdKeys(etcd.url)).length, 1));
  assert.deepEqual(mock.ids, []);
  await nats.start();
  await found(mock, 1);
});

Deno.test("the end does not wait for servers that are away or stand still", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  for (
    const away of [() => etcd.pause(), () => nats.pause(), () => Promise.all([nats.kill(), etcd.kill()])]
  ) {
    const mock = start({ nats, etcd });
    await found(mock, 1);
    await away();
    await Promise.all([mock[Symbol.asyncDispose](), mock[Symbol.asyncDispose]()]);
    etcd.resume();
    nats.resume();
  }
});

Deno.test("the signal alone ends the workers", async () => {
  await using nats = await startNats();
  await using etcd = await startEtcd();
  const stop = new AbortController();
  await using mock = start({ nats, etcd, signal: stop.signal });
  await found(mock, 1);
  stop.abort();
  await eventually(async () => assert.deepEqual([mock.ids, await etcdKeys(etcd.url)], [[], []]));
});

interface StartOptions extends Omit<MockWorkerOptions, "target" | "nats" | "etcd" | "signal"> {
  readonly nats: { readonly url: string };
  readonly etcd?: { readonly url: string };
  readonly ttlSeconds?: number;
  readonly callMs?: number;
  readonly auth?: { readonly username: string; readonly password: string };
  readonly signal?: AbortSignal;
}

function start({ nats, etcd, ttlSeconds, callMs = 2_000, auth, ...options }: StartOptions): MockWorkers {
  return startMockWorker({
    signal: new AbortController().signal,
    ...options,
    target: TARGET,
    nats: { servers: [nats.url], auth: USER },
    ...(etcd &&
      { etcd: { endpoints: [etcd.url], ...(ttlSeconds && { ttlSeconds }), callMs, ...(auth && { auth }) } }),
  });
}

/** Waits until that many workers can be found; gives their ids. */
function found(mock: MockWorkers, count: number): Promise<MockWorkers["ids"]> {
  return eventually(() => {
    assert.equal(mock.ids.length, count);
    return mock.ids;
  });
}
