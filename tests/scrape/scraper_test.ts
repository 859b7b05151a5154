import assert from "node:assert/strict";
import { serviceName } from "../../lib/dynamo/service_name.ts";
import { workerIdFromHex } from "../../lib/dynamo/worker_id.ts";
import { serviceSubject } from "../../lib/micro/subjects.ts";
import { ExpectedWorkers } from "../../lib/scrape/expected_workers.ts";
import type { Replies } from "../../lib/scrape/round.ts";
import { Scraper } from "../../lib/scrape/scraper.ts";
import { systemClock } from "../../lib/timing.ts";
import { NatsLink } from "../../lib/transport/nats.ts";
import type { NatsMessage } from "../../lib/transport/nats_message.ts";
import { type NatsServer, startNats } from "../../tools/servers/nats.ts";
import { eventually } from "../helpers/eventually.ts";
import { USER } from "../../tools/nats_users.ts";

const target = { namespace: "dynamo", component: "c", endpoint: "e" };
const service = serviceName("C", "dynamo", "c");
const a = workerIdFromHex("a1")!;
const b = workerIdFromHex("a2")!;
const signal = new AbortController().signal;
/** Limits so far apart that a round ends by the one that is meant. */
const LONG = { hardMs: 20_000, quietMs: 20_000 };

function reply(hex: string, blocks: number): string {
  const data = {
    request_active_slots: 1,
    request_total_slots: 8,
    kv_active_blocks: blocks,
    kv_total_blocks: 100,
  };
  return JSON.stringify({ version: "0.0.1", endpoints: [{ subject: `${service}.e-${hex}`, data }] });
}

async function connected(nats: NatsServer): Promise<NatsLink> {
  const link = new NatsLink({ servers: [nats.url], name: "test", auth: USER, signal });
  await eventually(() => assert.ok(link.connected));
  return link;
}

/** A service on a connection of its own whose answer to each question is what `answer` does. */
async function serve(
  nats: NatsServer,
  answer: (message: NatsMessage, link: NatsLink) => void,
): Promise<NatsLink> {
  const link = await connected(nats);
  link.subscribe(serviceSubject("STATS", service), (message) => answer(message, link));
  return link;
}

function waitedFor(workers: readonly (typeof a)[]): ExpectedWorkers {
  const positions = new Map(workers.map((worker, position) => [worker, position]));
  return new ExpectedWorkers(workers.map(() => service), (worker) => positions.get(worker));
}

async function open(nats: NatsServer) {
  const link = await connected(nats);
  const late: Replies[] = [];
  const scraper = new Scraper({
    nats: link,
    target,
    clock: systemClock,
  });
  scraper.onInput = () => {
    for (const input of scraper.take()) if (input.kind === "late") late.push(input.replies);
  };
  return {
    late,
    ask: (expected: readonly (typeof a)[], limits = LONG) =>
      scraper.round({ expected: waitedFor(expected), limits, signal }),
    async [Symbol.asyncDispose]() {
      scraper[Symbol.dispose]();
      await link[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a round ends at once when nobody listens at any of the three names", async () => {
  await using nats = await startNats();
  await using scraper = await open(nats);
  const { outcome, replies } = await scraper.ask([a]);
  assert.deepEqual([outcome, replies], ["no_responders", 0]);
});

Deno.test("a round ends when all that are expected have answered, and is quiet where nobody is expected", async () => {
  await using nats = await startNats();
  await using _service = await serve(nats, ({ reply: to }, link) => {
    link.publish(to!, reply("a1", 40));
    link.publish(to!, reply("a2", 60));
  });
  await using scraper = await open(nats);
  const first = await scraper.ask([], { ...LONG, quietMs: 50 });
  assert.deepEqual([first.outcome, first.answers.map(({ worker }) => worker)], ["quiet", [a, b]]);
  const second = await scraper.ask([a, b]);
  assert.deepEqual([second.outcome, second.replies, second.request], ["all_answered", 2, 2]);
});

Deno.test("a worker that does not answer ends the round at the hard limit; its late answer is handed on with its question", async () => {
  await using nats = await startNats();
  const waiting: (() => void)[] = [];
  await using _service = await serve(nats, ({ reply: to }, link) => {
    link.publish(to!, reply("a1", 40));
    waiting.push(() => link.publish(to!, reply("a2", 60)));
  });
  await using scraper = await open(nats);
  const round = await scraper.ask([a, b], { hardMs: 100, quietMs: 100 });
  assert.deepEqual([round.outcome, round.replies], ["hard_limit", 1]);
  waiting[0]!();
  await eventually(() => assert.equal(scraper.late.length, 1));
  const [answer] = scraper.late[0]!.answers;
  assert.deepEqual([answer!.worker, answer!.request], [b, 1]);
  assert.ok(answer!.at.monotonicMs > round.endedAt.monotonicMs);
});

Deno.test("broken replies are counted by reason and take nothing from the good one beside them", async () => {
  await using nats = await startNats();
  await using _service = await serve(nats, ({ reply: to }, link) => {
    link.publish(to!, "hello");
    link.publish(to!, "");
    link.publish(to!, "[]");
    link.publish(to!, new Uint8Array([0xff, 0xfe]));
    link.publish(to!, '{"endpoints":[null,{"subject":7}]}');
    link.publish(to!, reply("zz", 1));
    link.publish(to!, reply("a1", 40));
  });
  await using scraper = await open(nats);
  const round = await scraper.ask([a]);
  assert.deepEqual(round.rejected, { not_json: 3, envelope: 1, too_large: 0 });
  assert.deepEqual(round.rejectedEntries, { worker_id: 3, load: 0 });
  assert.deepEqual(round.answers.map(({ worker }) => worker), [a]);
  assert.equal(round.replies, 7);
});

Deno.test("two answers with one id are both handed on, in the order in which they came", async () => {
  await using nats = await startNats();
  await using _service = await serve(nats, ({ reply: to }, link) => {
    link.publish(to!, reply("a1", 10));
    link.publish(to!, reply("a1", 30));
  });
  await using scraper = await open(nats);
  const { answers } = await scraper.ask([], { ...LONG, quietMs: 50 });
  assert.deepEqual(answers.map(({ outcome }) => outcome.kind === "load" && outcome.load.activeBlocks), [
    10,
    30,
  ]);
});

Deno.test("a round fails when NATS goes, and when the user may not ask", async () => {
  const config = `authorization { users = [
    { user: user, password: user, permissions: { publish: { deny: ["$SRV.>"] } } }, { user: w, password: w } ] }`;
  await using forbidding = await startNats({ config });
  await using refused = await open(forbidding);
  assert.equal((await refused.ask([a])).outcome, "refused");

  await using nats = await startNats();
  await using _silent = await serve(nats, () => {});
  await using scraper = await open(nats);
  const asking = scraper.ask([a]);
  await nats.kill();
  assert.equal((await asking).outcome, "disconnected");
  assert.equal((await scraper.ask([a])).outcome, "disconnected");
});
