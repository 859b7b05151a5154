import assert from "node:assert/strict";
import type { Duplex } from "node:stream";
import { EtcdCarriers } from "../../lib/transport/etcd_carrier.ts";
import { FarewellReader } from "../../lib/transport/etcd_farewell.ts";
import { ownProgram } from "../../tools/program.ts";
import { startEtcd } from "../../tools/servers/etcd.ts";
import { eventually } from "../helpers/eventually.ts";
import { startMetrics } from "../helpers/metrics_process.ts";

/** One frame of HTTP/2 on stream 0 (RFC 9113, 4.1). */
function frame(type: number, payload: readonly number[]): number[] {
  return [0, payload.length >> 8, payload.length & 255, type, 0, 0, 0, 0, 0, ...payload];
}
const SETTINGS = frame(4, []);
const PING = frame(6, [7, 7, 7, 7, 7, 7, 7, 7]); // Its payload looks like types of GOAWAY.
const DATA = frame(0, Array.from({ length: 700 }, () => 7));
const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const GOAWAY = frame(7, [0x7f, 255, 255, 255, 0, 0, 0, 0]);

Deno.test("frames pass up to the GOAWAY, wherever the network cuts them", () => {
  const before = [...SETTINGS, ...PING, ...DATA];
  const bytes = Uint8Array.from([...before, ...GOAWAY, ...PING]);
  for (let first = 0; first <= before.length; first += 1) {
    const reader = new FarewellReader();
    assert.equal(reader.read(bytes.subarray(0, first)), first);
    assert.equal(reader.read(bytes.subarray(first)), before.length - first);
  }
});

Deno.test("a GOAWAY that comes byte for byte is known at its type", () => {
  const reader = new FarewellReader();
  const passed = [...SETTINGS, ...GOAWAY].map((byte) => reader.read(Uint8Array.of(byte)));
  assert.deepEqual(passed.slice(0, 13), [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
});

/** All that a carrier says until its end. */
async function heard(carrier: Duplex): Promise<number[]> {
  carrier.write(PREFACE);
  const said: number[] = [];
  for await (const chunk of carrier) said.push(...chunk);
  return said;
}

// On a server of our own: a real etcd says GOAWAY at some of its stops only, by a race within it.
Deno.test("a server says GOAWAY and stays: the carrier ends the connection", async () => {
  using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const talking = server.accept().then(async (connection) => {
    await connection.write(Uint8Array.from([...SETTINGS, ...GOAWAY, ...PING]));
    const said = new Uint8Array(100);
    const n = await connection.read(said);
    return { connection, preface: said.subarray(0, n ?? 0), after: await connection.read(said) };
  });
  using carriers = new EtcdCarriers(`http://127.0.0.1:${server.addr.port}`, { connectMs: 1_000 });
  assert.deepEqual(await heard(await carriers.open()), SETTINGS);
  const { connection, preface, after } = await talking;
  using _ = connection;
  assert.deepEqual(preface, PREFACE);
  assert.equal(after, null);
});

Deno.test("a reader that does not read holds the server back, and gets all in the end", async () => {
  using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const frames = Array.from({ length: 20_000 }, () => DATA).flat();
  let sent = 0;
  const talking = server.accept().then(async (connection) => {
    const bytes = Uint8Array.from(frames);
    while (sent < bytes.length) sent += await connection.write(bytes.subarray(sent, sent + 65_536));
    connection.close();
  });
  using carriers = new EtcdCarriers(`127.0.0.1:${server.addr.port}`, { connectMs: 1_000 });
  const carrier = await carriers.open();
  let seen = 0;
  await eventually(() => {
    const before = seen;
    seen = sent;
    assert.ok(sent > 0 && sent === before);
  });
  assert.ok(sent < frames.length);
  let got = 0;
  for await (const chunk of carrier) got += chunk.length;
  assert.equal(got, frames.length);
  await talking;
});

Deno.test("an endpoint that is not there rejects, and its cause stands until it has spoken", async () => {
  await using etcd = await startEtcd();
  using carriers = new EtcdCarriers(etcd.url, { connectMs: 1_000 });
  await etcd.stop();
  await assert.rejects(carriers.open(), /refused/);
  assert.match(carriers.failure!, /refused/);
  await etcd.start();
  const carrier = await carriers.open();
  assert.match(carriers.failure!, /refused/);
  carrier.write(PREFACE);
  await new Promise((resolve) => carrier.once("data", resolve));
  assert.equal(carriers.failure, undefined);
});

Deno.test("disposal closes what is open, and what opens later", async () => {
  using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const carriers = new EtcdCarriers(`127.0.0.1:${server.addr.port}`, { connectMs: 1_000 });
  const carrier = await carriers.open();
  const late = carriers.open();
  carriers[Symbol.dispose]();
  assert.ok(carrier.destroyed);
  await assert.rejects(late, /the client is closed/);
  for (const _ of [1, 2]) {
    using connection = await server.accept();
    assert.equal(await connection.read(new Uint8Array(1)), null);
  }
});

/** The sockets that a process of this machine listens on: ports, and paths of Unix sockets. */
function listening(pid: number): string[] {
  const inodes = new Set<string>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    const target = Deno.readLinkSync(`/proc/${pid}/fd/${name}`);
    const [, inode] = /^socket:\[(\d+)\]$/.exec(target) ?? [];
    if (inode !== undefined) inodes.add(inode);
  }
  const rows = (table: string) =>
    Deno.readTextFileSync(`/proc/${pid}/net/${table}`).trim().split("\n").slice(1)
      .map((row) => row.trim().split(/\s+/));
  const LISTEN = "0A";
  const ACCEPTS = "00010000";
  return [
    ...[...rows("tcp"), ...rows("tcp6")].filter((row) => row[3] === LISTEN && inodes.has(row[9]!))
      .map((row) => String(parseInt(row[1]!.split(":")[1]!, 16))),
    ...rows("unix").filter((row) => row[3] === ACCEPTS && inodes.has(row[6]!)).map((row) => row[7] ?? ""),
  ];
}

Deno.test(
  "nothing on this machine leads to etcd through us: metrics listens on its page's port alone, mock_worker on none",
  { ignore: Deno.build.os !== "linux" },
  async () => {
    await using etcd = await startEtcd();
    const env = { ETCD_ENDPOINTS: etcd.url };
    await using metrics = await startMetrics({
      args: ["--component", "my_component", "--endpoint", "my_endpoint", "--no-nats"],
      env,
    });
    await using worker = ownProgram("mock_worker.ts", { args: ["--release", "0.6.0"], env });
    await eventually(async () => {
      assert.match(await metrics.page(), /^dynamo_metrics_etcd_connected 1$/m);
      assert.match(worker.log, /Connected to etcd/);
    });
    assert.deepEqual(listening(metrics.pid), [new URL(metrics.url).port]);
    assert.deepEqual(listening(worker.pid), []);
  },
);
