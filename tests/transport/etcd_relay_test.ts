import assert from "node:assert/strict";
import { EtcdRelay, FarewellReader } from "../../lib/transport/etcd_relay.ts";
import { startEtcd } from "../../tools/servers/etcd.ts";

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

/** All that comes through the relay until its end. */
async function heard(address: string): Promise<number[]> {
  const [hostname, port] = address.split(":");
  using connection = await Deno.connect({ hostname: hostname!, port: Number(port) });
  await connection.write(PREFACE);
  const said: number[] = [];
  const buffer = new Uint8Array(4_096);
  for (let n = await connection.read(buffer); n !== null; n = await connection.read(buffer)) {
    said.push(...buffer.subarray(0, n));
  }
  return said;
}

// On a server of our own: a real etcd says GOAWAY at some of its stops only, by a race within it.
Deno.test("a server says GOAWAY and stays: the relay ends the connection", async () => {
  using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const talking = server.accept().then(async (connection) => {
    await connection.write(Uint8Array.from([...SETTINGS, ...GOAWAY, ...PING]));
    return connection;
  });
  using relay = new EtcdRelay(`http://127.0.0.1:${server.addr.port}`, { connectMs: 1_000 });
  assert.deepEqual(await heard(relay.address), SETTINGS);
  using _ = await talking;
});

Deno.test("an endpoint that is not there ends the connection, and the relay says why until it is", async () => {
  await using etcd = await startEtcd();
  using relay = new EtcdRelay(etcd.url, { connectMs: 1_000 });
  await etcd.stop();
  const said = async () => {
    const [hostname, port] = relay.address.split(":");
    using connection = await Deno.connect({ hostname: hostname!, port: Number(port) });
    await connection.write(PREFACE).catch(() => {});
    return await connection.read(new Uint8Array(100)).catch(() => null);
  };
  assert.equal(await said(), null);
  assert.match(relay.failure!, /refused/);
  await etcd.start();
  assert.ok(await said() !== null);
  assert.equal(relay.failure, undefined);
});
