import type { Load, Mutable, SpecDecode } from "../dynamo/load.ts";
import type { ModelCard } from "../dynamo/model_card.ts";
import type { PageNumbers } from "../dynamo/worker_page.ts";
import type { Channel, Observation, Said } from "../events/observation.ts";
import type { Answer } from "../scrape/answer.ts";
import type { Instant } from "../timing.ts";

/** The newest that was heard of one worker without asking, by what is said, who says it and of which rank. */
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
  if (known === undefined && heard.size >= MAX_ESTIMATES) return bounded(next, observation);
  return next;
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

function keyOf({ dpRank, said }: Observation): string {
  return `${said.kind}/${dpRank}/${said.kind === "router" ? said.router : ""}`;
}

/** Whether the worker itself was heard of its load. */
export function saysLoad(heard: Heard): boolean {
  return heard.values().some(({ said }) => said.kind !== "router" && hasNumbers(ofSaid(said)));
}

/** Whether the worker itself was heard, of its load or not: a page may have nothing of it. */
export function saysAnything(heard: Heard): boolean {
  return heard.values().some(({ said }) => said.kind !== "router");
}

/** What is known of a worker's load, all ranks together, whoever said it. What nobody says is absent, never 0. */
export interface WorkerNumbers {
  readonly activeBlocks?: number;
  readonly totalBlocks?: number;
  readonly activeSlots?: number;
  readonly totalSlots?: number;
  readonly requestsWaiting?: number;
  /** 0 to 1; of used and total blocks where no channel says it. */
  readonly cacheUsageRatio?: number;
  readonly prefixHitRatio?: number;
  readonly specDecode?: SpecDecode;
}

/** One rank of a worker that has several. */
export interface RankNumbers {
  readonly dpRank: number;
  readonly usedBlocks: number | undefined;
  readonly running: number | undefined;
  readonly waiting: number | undefined;
}

/** Field by field the freshest of what the channels say; the model card's totals where nobody says them. */
export function mergeNumbers(
  sources: {
    readonly answer: Answer | undefined;
    readonly heard: Heard;
    readonly card: ModelCard | undefined;
  },
): { readonly numbers: WorkerNumbers; readonly blocksAt: Instant | undefined } {
  const { answer, heard, card } = sources;
  if (heard.size === 0 && card === undefined) return onlyAnswered(answer);
  const said: { at: Instant; numbers: WorkerNumbers }[] = [];
  if (answer?.outcome.kind === "load") said.push({ at: answer.at, numbers: ofLoad(answer.outcome.load) });
  for (const kind of ["load", "blocks", "forward_pass", "page"] as const) {
    const ranks = [...heard.values()].filter((observation) => observation.said.kind === kind);
    if (ranks.length === 0) continue;
    said.push({
      at: newest(ranks),
      numbers: addRanks(ranks.map(({ said }) => ofSaid(said)).filter(hasNumbers)),
    });
  }
  said.sort((a, b) => a.at.monotonicMs - b.at.monotonicMs);
  const numbers: Mutable<WorkerNumbers> = Object.assign(
    {},
    ofCard(card),
    ...said.map(({ numbers }) => numbers),
  );
  const { activeBlocks, totalBlocks } = numbers;
  if (numbers.cacheUsageRatio === undefined && activeBlocks !== undefined && totalBlocks) {
    numbers.cacheUsageRatio = activeBlocks / totalBlocks;
  }
  const blocksAt = said.findLast(({ numbers }) => numbers.activeBlocks !== undefined)?.at;
  return { numbers, blocksAt };
}

/** What most workers of a large fleet are: seen by their answers alone. */
function onlyAnswered(answer: Answer | undefined): ReturnType<typeof mergeNumbers> {
  if (answer?.outcome.kind !== "load") return NOTHING_SAID;
  const { load } = answer.outcome;
  const isWhole = load.cacheUsageRatio !== undefined || load.totalBlocks === 0;
  const numbers = isWhole ? load : { ...load, cacheUsageRatio: load.activeBlocks / load.totalBlocks };
  return { numbers, blocksAt: answer.at };
}

const NOTHING_SAID = { numbers: {}, blocksAt: undefined };

/** The ranks, of a worker that was heard of several. */
export function rankNumbers(heard: Heard): readonly RankNumbers[] {
  if (heard.size === 0) return NO_RANKS;
  const byRank = new Map<number, Mutable<RankNumbers>>();
  const inTime = [...heard.values()].sort((a, b) => a.at.monotonicMs - b.at.monotonicMs);
  for (const { dpRank, said } of inTime) {
    const numbers = ofSaid(said);
    if (!hasNumbers(numbers)) continue;
    let rank = byRank.get(dpRank);
    if (rank === undefined) {
      byRank.set(dpRank, rank = { dpRank, usedBlocks: undefined, running: undefined, waiting: undefined });
    }
    const { activeBlocks, activeSlots, requestsWaiting } = numbers;
    rank.usedBlocks = activeBlocks ?? rank.usedBlocks;
    rank.running = activeSlots ?? rank.running;
    rank.waiting = requestsWaiting ?? rank.waiting;
  }
  return byRank.size < 2 ? [] : [...byRank.values()].sort((a, b) => a.dpRank - b.dpRank);
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

const NO_RANKS: readonly RankNumbers[] = [];
const STATS_ALONE: ReadonlySet<Channel> = new Set<Channel>(["stats"]);
const NO_CHANNEL: ReadonlySet<Channel> = new Set<Channel>();

function ofLoad(load: Load): WorkerNumbers {
  const { shape: _, dpRank: __, ...numbers } = load;
  return numbers;
}

function ofSaid(said: Said): WorkerNumbers {
  switch (said.kind) {
    case "load":
      return ofLoad(said.load);
    case "blocks":
      return { activeBlocks: said.usedBlocks };
    case "forward_pass":
      return { activeSlots: said.running, requestsWaiting: said.waiting };
    case "page":
      return ofPage(said.numbers);
    case "router":
      return {};
  }
}

/** `inflight` is left out: running and waiting ones together are neither. */
function ofPage(
  { usedBlocks, totalBlocks, running, waiting, cacheUsageRatio, prefixHitRatio }: PageNumbers,
): WorkerNumbers {
  return {
    ...(usedBlocks !== undefined && { activeBlocks: usedBlocks }),
    ...(totalBlocks !== undefined && { totalBlocks }),
    ...(running !== undefined && { activeSlots: running }),
    ...(waiting !== undefined && { requestsWaiting: waiting }),
    ...(cacheUsageRatio !== undefined && { cacheUsageRatio }),
    ...(prefixHitRatio !== undefined && { prefixHitRatio }),
  };
}

function hasNumbers(numbers: WorkerNumbers): boolean {
  for (const _ in numbers) return true;
  return false;
}

/** Totals of a card are per rank. */
function ofCard(card: ModelCard | undefined): WorkerNumbers {
  return {
    ...(card?.totalBlocks !== undefined && { totalBlocks: card.totalBlocks * card.ranks }),
    ...(card?.maxSeqs !== undefined && { totalSlots: card.maxSeqs * card.ranks }),
  };
}

const COUNTS = ["activeBlocks", "totalBlocks", "activeSlots", "totalSlots", "requestsWaiting"] as const;

/** Counts add up; of the rest, which has no sum, one rank's stands only where there is one. */
function addRanks(ranks: readonly WorkerNumbers[]): WorkerNumbers {
  if (ranks.length === 1) return ranks[0]!;
  const sum: Partial<Record<typeof COUNTS[number], number>> = {};
  for (const rank of ranks) {
    for (const field of COUNTS) {
      const value = rank[field];
      if (value !== undefined) sum[field] = (sum[field] ?? 0) + value;
    }
  }
  return sum;
}

function newest(ranks: readonly Observation[]): Instant {
  return ranks.reduce((at, rank) => rank.at.monotonicMs > at.monotonicMs ? rank.at : at, ranks[0]!.at);
}
