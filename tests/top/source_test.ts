import assert from "node:assert/strict";
import { DeploymentSource } from "../../lib/top/deployment_source.ts";
import type { Fleet } from "../../lib/exposition/api_v1.ts";
import type { FleetSource } from "../../lib/top/source.ts";
import { StreamSource } from "../../lib/top/stream_source.ts";
import { systemClock } from "../../lib/timing.ts";
import { assertSchema } from "../helpers/api_schema.ts";
import { readBoth, readFleet } from "../helpers/api_reader.ts";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { ownDeployment } from "./own_deployment.ts";
import { fleetOf } from "./fleet_fixture.ts";

/** A source that runs, and what ends it. */
function run(source: FleetSource): AsyncDisposable {
  const end = new AbortController();
  const running = source.run(end.signal);
  return {
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await running;
    },
  };
}

Deno.test("what the stream of a metrics told is what its API and page say at the same seq, while workers come, go silent and leave", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true, forgetAfter: "5" });
  const { url } = deployment.metrics;
  const source = new StreamSource({ url: new URL(url), clock: systemClock });
  await using _ = run(source);
  const same = async (loads: Readonly<Record<string, number>>, states: readonly string[]) =>
    await eventually(async () => {
      const told = await nextTold(source);
      const { fleet, page } = await readBoth(url);
      assert.equal(told.seq, fleet.seq);
      assert.deepEqual(withoutSeen(told), withoutSeen(fleet as unknown as Fleet));
      assert.deepEqual(told.targets[0]!.workers.map(({ state }) => state), states);
      assert.deepEqual(
        Object.fromEntries(
          page.loaded().map((worker_id) => [worker_id, page.value("llm_kv_blocks_active", { worker_id })]),
        ),
        loads,
      );
      const shown = told.targets[0]!.workers.flatMap(({ id, kv_blocks_used }) =>
        kv_blocks_used === undefined ? [] : [[id, kv_blocks_used]]
      );
      assert.deepEqual(Object.fromEntries(shown), loads);
    });
  const raw = deployment.raw();
  let answers: readonly (readonly [hex: string, blocks: number])[] = [["b2", 20], ["a1", 10]];
  raw.answer(({ reply }) => answers.forEach(([hex, blocks]) => reply(hex, blocks)));
  await same({ 161: 10, 178: 20 }, ["responding", "responding"]);
  answers = [["b2", 21], ["c3", 30]];
  await same({ 178: 21, 195: 30 }, ["silent", "responding", "responding"]);
  await same({ 178: 21, 195: 30 }, ["responding", "responding"]);
});

/** What the next message tells, as soon as it comes. */
async function nextTold(source: FleetSource): Promise<Fleet> {
  const { promise, resolve } = Promise.withResolvers<void>();
  using _ = source.subscribe(resolve);
  await promise;
  return source.read().fleet!;
}

/** `last_seen_at` moves between messages; the stream's is that of the last of all. */
function withoutSeen(fleet: Fleet): Fleet {
  const targets = fleet.targets.map((target) => ({
    ...target,
    workers: target.workers.map(({ last_seen_at: _, ...worker }) => worker),
  }));
  return { ...fleet, targets };
}

Deno.test("a deployment of our own is seen as the API tells it, with its past", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  deployment.play(3);
  await using own = ownDeployment(deployment.nats.url);
  const source = new DeploymentSource({
    deployment: own.deployment,
    clock: systemClock,
    pollIntervalMs: 200,
  });
  await using _ = run(source);
  await eventually(async () => {
    const { fleet, problem } = source.read();
    assertSchema("fleet", fleet);
    assert.equal(problem, undefined);
    const served = await readFleet(deployment.metrics.url);
    const [mine, theirs] = [fleet, served as unknown as Fleet].map((fleet) =>
      withoutSeen(fleet!).targets[0]!
    );
    assert.equal(mine!.workers.length, 3);
    assert.deepEqual(mine!.workers, theirs!.workers);
    const past = await source.past();
    assertSchema("history", past);
    assert.ok(past!.targets[0]!.series["load_avg"]!.some((value) => value !== null));
    const worker = await source.past(mine!.workers[0]!.id);
    assertSchema("history", worker);
    assert.equal(worker!.step_seconds, 10);
    assert.equal(await source.past("1"), undefined);
  });
});

Deno.test("a server that is lost is said with the reason, what it told is kept, and it is sought again", async () => {
  let says = (): Response => new Response("data: {}\n\n");
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => says());
  const url = new URL(`http://127.0.0.1:${server.addr.port}`);
  const source = new StreamSource({ url, clock: systemClock });
  let news = 0;
  using _news = source.subscribe(() => news++);
  assert.deepEqual(source.read(), { fleet: undefined, ageMs: 0, isLost: false, problem: undefined });
  await using _ = run(source);
  const problem = (text: string) => eventually(() => assert.equal(source.read().problem, text));
  await problem("what answers there is no metrics");
  says = () => new Response("event: state\ndata: {\n\n");
  await eventually(() => assert.match(source.read().problem!, /JSON/));
  says = () => new Response('event: alive\ndata: {"now":"2026-01-02T03:04:06.000Z"}\n\n');
  await problem("the stream has ended");
  says = () => new Response("not found", { status: 404 });
  await problem("/api/v1/stream answers 404");
  says = () => new Response(null, { status: 302, headers: { location: "/elsewhere" } });
  await eventually(() => assert.match(source.read().problem!, /redirect/i));
  says = () => new Response(`event: state\ndata: ${JSON.stringify(fleetOf([]))}\n\n`);
  await problem("the stream has ended");
  assert.deepEqual([source.read().fleet?.seq, source.read().isLost], [7, true]);
  const open = new ReadableStream({
    start: (controller) => {
      const state = `event: state\ndata: ${JSON.stringify({ ...fleetOf([]), seq: 8 })}\n\n`;
      controller.enqueue(new TextEncoder().encode(state));
    },
  });
  says = () => new Response(open);
  await eventually(() => assert.equal(source.read().isLost, false));
  assert.deepEqual([source.read().fleet?.seq, source.read().problem], [8, undefined]);
  assert.ok(news > 5);
});
