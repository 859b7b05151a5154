import assert from "node:assert/strict";
import { NatsLink } from "../../lib/transport/nats.ts";
import { USER } from "../../tools/nats_users.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { eventually } from "../helpers/eventually.ts";
import { nextTurn } from "../helpers/next_turn.ts";

const MESSAGES = 8_000;
const KIB = new Uint8Array(1_024);

Deno.test("a flood of messages is taken in slices, all of them, in order", async () => {
  await using nats = await startNats();
  const { signal } = new AbortController();
  const open = (name: string) => new NatsLink({ servers: [nats.url], name, auth: USER, signal });
  await using link = open("hears");
  await using other = open("speaks");
  await eventually(() => assert.ok(link.connected && other.connected));
  const heard: number[] = [];
  let mostInTurn = 0;
  let inTurn = 0;
  let isHeard = false;
  link.subscribe("ready", () => isHeard = true);
  link.subscribe("flood.*", ({ subject }) => {
    heard.push(Number(subject.slice("flood.".length)));
    inTurn++;
    for (const endMs = performance.now() + 0.1; performance.now() < endMs;);
  });
  await eventually(() => {
    other.publish("ready", "");
    assert.ok(isHeard);
  });
  for (let n = 0; n < MESSAGES; n++) other.publish(`flood.${n}`, KIB);
  const deadline = performance.now() + 60_000;
  while (heard.length < MESSAGES && performance.now() < deadline) {
    mostInTurn = Math.max(mostInTurn, inTurn);
    inTurn = 0;
    await nextTurn();
  }
  assert.deepEqual(heard, Array.from({ length: MESSAGES }, (_, n) => n));
  assert.ok(mostInTurn < 1_000, `${mostInTurn} messages in one turn`);
});
