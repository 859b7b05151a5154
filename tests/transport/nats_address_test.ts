import assert from "node:assert/strict";
import { NatsServers } from "../../lib/transport/nats_address.ts";

function after(announced: unknown): readonly string[] {
  const servers = new NatsServers(["nats://named:4222"]);
  servers.announce(announced, servers.next()[0]!);
  return servers.next().map(({ url }) => url);
}

for (
  const announced of [
    "host:4222",
    { a: 1 },
    5,
    null,
    undefined,
    ["host:99999"],
    ["999.1.1.1:4222"],
    ["10.0.0.300:4222"],
    ["[::::]:4222"],
    [1, null, {}, ["a:1"]],
    ["nats://u:p@host:1", "host", "host:1/x"],
    ["named:4222"],
  ]
) {
  Deno.test(`of servers announced as ${JSON.stringify(announced)} none is tried`, () => {
    assert.deepEqual(after(announced), ["nats://named:4222"]);
  });
}

Deno.test("announced servers that are good are tried beside others that are not", () => {
  assert.deepEqual(after(["host:99999", "10.0.0.1:4222", 7, "[fd00::7]:4223"]), [
    "nats://named:4222",
    "nats://10.0.0.1:4222",
    "nats://[fd00::7]:4223",
  ]);
});

Deno.test("of many announced servers some are tried each time after the named one, until all were", () => {
  const servers = new NatsServers(["nats://named:4222"]);
  const many = Array.from({ length: 7 }, (_, n) => `10.0.0.${n}:4222`);
  servers.announce(many, servers.next()[0]!);
  const tries = [1, 2, 3].map(() => servers.next().map(({ hostname }) => hostname));
  assert.deepEqual(tries.map(([first, ...others]) => [first, others.length]), Array(3).fill(["named", 3]));
  assert.equal(new Set(tries.flat()).size, 8);
});
