import type { PageNumbers } from "../dynamo/worker_page.ts";
import type { Channel, Observation, Said } from "../events/observation.ts";
import type { ModelCard } from "../dynamo/model_card.ts";
import type { Answer } from "../scrape/answer.ts";
import type { Instant } from "../timing.ts";

/**
 * The newest that was heard of one worker without asking, by what is said, who says it and of which rank. A finished
 * pass and a heartbeat stand side by side.
 */
export type Heard = ReadonlyMap<string, Observation>;

export const NOTHING_HEARD: Heard = new Map();

/** How many routers' estimates of one worker are kept, all ranks together: the newest; and how much of its own. */
const MAX_ESTIMATES = 256;
const MAX_OWN = 16_384;

/** What was heard with this in it; an older one than that known changes nothing. */
export function hear(heard: Heard, observation: Observation): Heard {
  const key = keyOf(observation);
  const known = heard.get(key);
  if (known !== undefined && known.at.monotonicMs > observation.at.monotonicMs) return heard;
  const next = new Map(heard).set(key, observation);
  if (observation.said.kind === "page") dropOlderPage(next, observation);
  if (known === undefined && heard.size >= MAX_ESTIMATES) return bounded(next, observation);
  return next;
}

/** A page says all that it says at once: a rank that it no longer names is no longer known. */
function dropOlderPage(heard: Map<string, Observation>, { via, at }: Observation): void {
  for (const [key, other] of heard) {
    const isOlder = other.said.kind === "page" && other.via === via && other.at.monotonicMs < at.monotonicMs;
    if (isOlder) heard.delete(key);
  }
}

/** What is known in the place of an observation. */
export function heardBefore(heard: Heard, observation: Observation): Observation | undefined {
  return heard.get(keyOf(observation));
}

/** Without the oldest of the kind of this one, where there are too many. */
function bounded(heard: Map<string, Observation>, { said }: Observation): Heard {
  const isEstimate = said.kind === "router";
  const limit = isEstimate ? MAX_ESTIMATES : MAX_OWN;
  const alike = [...heard].filter(([, { said }]) => (said.kind === "router") === isEstimate);
  if (alike.length <= limit) return heard;
  const [oldest] = alike.reduce((a, b) => b[1].at.monotonicMs < a[1].at.monotonicMs ? b : a);
  heard.delete(oldest);
  return heard;
}

/** What was heard without what came by connections that are lost. */
export function forgetVias(heard: Heard, vias: ReadonlySet<string>): Heard {
  if (heard.size === 0) return heard;
  const kept = [...heard].filter(([, observation]) => !vias.has(observation.via));
  return kept.length === heard.size ? heard : new Map(kept);
}

/** What was heard without the estimates of routers that are no longer registered; before 0.9 none is. */
export function forgetRouters(heard: Heard, publishers: ReadonlySet<string>): Heard {
  if (heard.size === 0) return heard;
  const isThere = ({ said }: Observation) =>
    said.kind !== "router" || said.router === "" || publishers.has(said.router);
  if (heard.values().every(isThere)) return heard;
  return new Map([...heard].filter(([, observation]) => isThere(observation)));
}

/** A worker may have several pages; each says what it says of the whole engine. */
function keyOf({ dpRank, via, said }: Observation): string {
  const from = said.kind === "router" ? said.router : typeof dpRank === "number" ? "" : via;
  return `${said.kind}/${dpRank}/${from}`;
}

/** When each rank last sent a pass or a heartbeat, of those that did, by the rank's number. */
export function rankBeats(heard: Heard): ReadonlyMap<number, Instant> {
  let beats: Map<number, Instant> | undefined;
  for (const { said: { kind }, dpRank, at } of heard.values()) {
    if (kind !== "forward_pass" && kind !== "heartbeat" || typeof dpRank !== "number") continue;
    beats ??= new Map();
    const known = beats.get(dpRank);
    if (known === undefined || at.monotonicMs > known.monotonicMs) beats.set(dpRank, at);
  }
  return beats ?? NO_BEATS;
}

const NO_BEATS: ReadonlyMap<number, Instant> = new Map();

/** Whether the worker itself was heard of its load. */
export function saysLoad(heard: Heard): boolean {
  return heard.values().some(({ said }) => isLoad(said));
}

/** Whether the worker itself was heard, of its load or not: a page may have nothing of it. */
export function saysAnything(heard: Heard): boolean {
  return heard.values().some(({ said }) => said.kind !== "router");
}

/** Requests in flight alone are no load: they say nothing of the engine. */
function isLoad(said: Said): boolean {
  if (said.kind !== "page") return said.kind !== "router";
  const { usedBlocks, totalBlocks, cacheUsageRatio, running, waiting, prefixHitRatio }: PageNumbers =
    said.numbers;
  return [usedBlocks, totalBlocks, cacheUsageRatio, running, waiting, prefixHitRatio]
    .some((value) => value !== undefined);
}

/** By which ways a worker is seen. */
export function channelsOf(
  sources: {
    readonly answer: Answer | undefined;
    readonly heard: Heard;
    readonly card: ModelCard | undefined;
  },
): ReadonlySet<Channel> {
  if (sources.heard.size === 0 && sources.card === undefined) {
    return sources.answer === undefined ? NO_CHANNEL : STATS_ALONE;
  }
  const channels = new Set<Channel>();
  if (sources.answer !== undefined) channels.add("stats");
  for (const { channel } of sources.heard.values()) channels.add(channel);
  if (sources.card !== undefined) channels.add("card");
  return channels;
}

const STATS_ALONE: ReadonlySet<Channel> = new Set<Channel>(["stats"]);
const NO_CHANNEL: ReadonlySet<Channel> = new Set<Channel>();
