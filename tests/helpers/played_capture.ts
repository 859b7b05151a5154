import assert from "node:assert/strict";
import { storedRanges } from "../../lib/discovery/directory.ts";
import { serviceSubject } from "../../lib/micro/subjects.ts";
import { CHANNELS } from "../../lib/events/observation.ts";
import { Deployment } from "../../lib/deployment/deployment.ts";
import type { Noted, Recorder } from "../../lib/deployment/recorder.ts";
import { systemClock } from "../../lib/timing.ts";
import { EtcdMirror } from "../../lib/transport/etcd_mirror.ts";
import { NatsLink } from "../../lib/transport/nats.ts";
import { putLeasedKeys } from "../../tools/etcd_gateway.ts";
import { USER } from "../../tools/nats_users.ts";
import { PageReader } from "../../tools/page_reader.ts";
import { startEtcd } from "../../tools/servers/etcd.ts";
import { SERIES, type Series, type Way } from "../releases.ts";
import { startReplays } from "./captured_deployment.ts";
import type { CapturedChannels } from "./captured_release.ts";
import { eventually } from "./eventually.ts";
import { NatsObserver } from "./nats_observer.ts";
import { PageServer } from "./page_server.ts";
import { renderText } from "./render_text.ts";

/** A channel by which a capture can be played. */
export type Played = Exclude<Way, "computed">;

/** The channels that a capture has. */
export function channelsOf({ stats, nats, zmq, pages, cards }: CapturedChannels): Played[] {
  const filled = { stats, NATS: nats, ZMQ: zmq, HTTP: pages, card: cards };
  return (Object.keys(filled) as Played[]).filter((channel) => filled[channel].length > 0);
}

/** The groups of series that a monitor shows which hears these channels of a capture, and no other. */
export async function playedSeries(
  capture: CapturedChannels,
  options: { readonly channels: readonly Played[]; readonly natsUrl: string },
): Promise<Set<Series>> {
  const { target } = capture;
  const has = (channel: Played) => options.channels.includes(channel);
  const signal = new AbortController().signal;
  await using ends = new AsyncDisposableStack();
  const etcd = ends.use(await startEtcd());
  await putLeasedKeys(etcd.url, [...capture.keys, ...(has("card") ? capture.cards : [])]);
  const nats = ends.use(
    new NatsLink({ servers: [options.natsUrl], name: "monitor", auth: USER, signal, pingIntervalMs: 10_000 }),
  );
  const observer = ends.use(await NatsObserver.connect(options.natsUrl));
  if (has("stats")) {
    for (const { service, body } of capture.stats) {
      observer.connection.subscribe(serviceSubject("STATS", service), {
        callback: (_, message) => void message.respond(body),
      });
    }
    await observer.connection.flush();
  }
  if (has("ZMQ")) ends.use(await startReplays(capture.zmq));
  const server = ends.use(new PageServer(({ url }) => new Response(pageAt(capture, new URL(url).pathname))));
  const store = ends.use(new EtcdMirror(storedRanges([target]), { endpoints: [etcd.url], signal }));
  const counts = new Counts();
  const deployment = ends.use(
    new Deployment({
      targets: [target],
      nats,
      store,
      clock: systemClock,
      recorder: counts,
      pollIntervalMs: 50,
      channels: new Set(CHANNELS),
      workerUrls: has("HTTP") ? [`${server.origin}/{id}`] : [],
      limits: { staleAfterMs: 60_000, forgetAfterMs: 60_000, stuckAfterMs: 10_000 },
    }),
  );
  const stop = new AbortController();
  const running = deployment.run(stop.signal);
  ends.defer(async () => {
    stop.abort();
    await running;
  });
  await eventually(() => assert.ok(deployment.snapshot.targets[0]!.membershipFromEtcd));
  await counts.moreRounds(3); // What etcd names is subscribed to.
  if (has("NATS")) {
    for (const { subject, body } of capture.nats) observer.connection.publish(subject, body);
    await observer.connection.flush();
  }
  if (has("ZMQ")) {
    await eventually(() => { // Of all publishers, each of which speaks twenty times a second.
      assert.ok(["kv_metrics", "forward-pass-metrics"].every((event) => counts.heard(event) >= 60));
    });
  }
  if (has("HTTP")) await eventually(() => assert.ok(counts.asked >= 2));
  await counts.moreRounds(3); // What was sent before their questions has come before their answers.
  const page = new PageReader(renderText(deployment.snapshot, []));
  return new Set(SERIES.filter(([, family]) => page.values(family).length > 0).map(([series]) => series));
}

/** Each worker's page, by its place in the order of ids. */
function pageAt({ keys, target, pages }: CapturedChannels, path: string): string | undefined {
  const ids = keys.filter(({ key }) => key.includes("instances/"))
    .flatMap(({ key }) => new RegExp(`/${target.endpoint}[:/]([0-9a-f]+)$`).exec(key)?.[1] ?? [])
    .map((id) => BigInt(`0x${id}`)).toSorted((a, b) => a < b ? -1 : 1);
  return pages[ids.indexOf(BigInt(`0x${path.slice(1)}`)) % pages.length];
}

/** How far a monitor has come. */
class Counts implements Recorder {
  #rounds = 0;
  #heard = new Map<string, number>();
  asked = 0;

  heard(event: string): number {
    return this.#heard.get(event) ?? 0;
  }

  async moreRounds(rounds: number): Promise<void> {
    const wanted = this.#rounds + rounds;
    await eventually(() => assert.ok(this.#rounds >= wanted));
  }

  note({ input }: Noted): void {
    if (input.kind === "round") this.#rounds++;
    if (input.kind === "pages") this.asked += input.asked;
    if (input.kind !== "events") return;
    for (const [event, { heard }] of input.counts) this.#heard.set(event, this.heard(event) + heard);
  }
}
