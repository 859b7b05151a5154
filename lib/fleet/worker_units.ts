import type { ModelCard } from "../dynamo/model_card.ts";
import type { Releases } from "../dynamo/release.ts";
import type { Observation } from "../events/observation.ts";
import type { Heard } from "./heard.ts";
import {
  type CountedFact,
  type Engine,
  mayHaveUnseededRanks,
  type Meaning,
  meaningsOf,
} from "../dynamo/units.ts";

export interface WorkerUnitsOptions {
  readonly card: ModelCard | undefined;
  /** The releases whose units the worker's numbers have. */
  readonly possible: Releases;
  /** By the families of its page; undefined if there is no page. */
  readonly engine: Engine | undefined;
  /** How many ranks the worker has. */
  readonly ranks: number;
  readonly evidence: BlockEvidence;
}

/** What the used blocks that a worker said so far tell of their unit and scope. */
export interface BlockEvidence {
  /** It once said more than its number of blocks, and at most its number of tokens. So it counts tokens. */
  readonly countsTokens: boolean;
  /** Several ranks said more than 0: each knows its own total. Of vLLM to 1.4.2 only one does. */
  readonly ranksKnowTotals: boolean;
}

export const NO_EVIDENCE: BlockEvidence = { countsTokens: false, ranksKnowTotals: false };

/** What the numbers of one worker count: turns what it says into blocks and slots of a rank, or of all ranks. */
export class WorkerUnits {
  /** KV blocks of one rank, and of all ranks, by the card. */
  readonly cardRankBlocks: number | undefined;
  readonly cardBlocks: number | undefined;
  /** Slots of all ranks, by the card. */
  readonly cardSlots: number | undefined;
  readonly #options: WorkerUnitsOptions;

  constructor(options: WorkerUnitsOptions) {
    this.#options = options;
    const { card } = options;
    const blocks = this.#share(card?.totalBlocks, this.#one("card_total_blocks"));
    this.cardRankBlocks = blocks.ofRank;
    this.cardBlocks = blocks.ofAll;
    this.cardSlots = this.#share(card?.maxSeqs, this.#one("card_max_seqs")).ofAll;
  }

  /** Blocks of one rank, of the total that a page says for it; undefined if its unit is not known. */
  pageRankBlocks(total: number | undefined): number | undefined {
    const meaning = this.#one("page_total_blocks");
    if (meaning !== "tokens") return this.#share(total, meaning).ofRank;
    const { card } = this.#options;
    if (total === undefined || card?.blockSize === undefined) return undefined;
    return Math.floor(total / card.blockSize);
  }

  /**
   * The used blocks that an event says of a rank; undefined if they are no number of this rank's blocks. Engines that
   * write tokens are known by their page, or once they said more than there are blocks.
   */
  eventUsedBlocks(used: number): number | undefined {
    const { engine, possible, ranks, evidence, card } = this.#options;
    const meanings = meaningsOf("event_used_blocks", { engine, possible });
    if (meanings.has("all") && ranks > 1 && !evidence.ranksKnowTotals) return undefined;
    const isTokens = meanings.has("tokens") && (evidence.countsTokens || meanings.size === 1);
    if (!isTokens) return used;
    return card?.blockSize === undefined ? undefined : Math.ceil(used / card.blockSize);
  }

  /** Whether 0 used blocks of a rank may mean that it does not know its total. */
  mayBeUnseeded(dpRank: number): boolean {
    const { engine, possible, ranks, evidence, card } = this.#options;
    if (evidence.ranksKnowTotals) return false;
    const last = (card?.startRank ?? 0) + ranks - 1;
    const isVllm = engine === undefined || engine === "vllm";
    return ranks > 1 && dpRank < last && isVllm && mayHaveUnseededRanks(possible);
  }

  /** What the number means; undefined if that is not known. With one rank it makes no difference whose it is. */
  #one(fact: CountedFact): Meaning | undefined {
    const { engine, possible, ranks } = this.#options;
    const meanings = meaningsOf(fact, { engine, possible });
    if (meanings.size === 1) return meanings.values().next().value;
    return ranks === 1 && !meanings.has("tokens") ? "rank" : undefined;
  }

  #share(
    value: number | undefined,
    meaning: Meaning | undefined,
  ): { readonly ofRank?: number; readonly ofAll?: number } {
    const { ranks } = this.#options;
    if (value === undefined || meaning === undefined) return {};
    return meaning === "all"
      ? { ofRank: value / ranks, ofAll: value }
      : { ofRank: value, ofAll: value * ranks };
  }
}

/** The evidence after an observation; `heard` is what is known then of the worker. */
export function noteEvidence(
  before: BlockEvidence,
  { said }: Observation,
  { heard, card, possible }: {
    readonly heard: Heard;
    readonly card: ModelCard | undefined;
    readonly possible: Releases;
  },
): BlockEvidence {
  if (said.kind !== "blocks" || said.usedBlocks === 0) return before;
  const countsTokens = before.countsTokens || showsTokens(said.usedBlocks, { card, possible });
  const ranksKnowTotals = before.ranksKnowTotals || card?.ranks !== 1 && countSpeaking(heard) > 1;
  const isSame = countsTokens === before.countsTokens && ranksKnowTotals === before.ranksKnowTotals;
  return isSame ? before : { countsTokens, ranksKnowTotals };
}

/** One rank, more used blocks than it has, and fewer than it has tokens, in a release in which engines wrote tokens. */
function showsTokens(
  usedBlocks: number,
  { card, possible }: { readonly card: ModelCard | undefined; readonly possible: Releases },
): boolean {
  if (card?.totalBlocks === undefined || card.blockSize === undefined || card.ranks > 1) return false;
  if (usedBlocks <= card.totalBlocks || usedBlocks > card.totalBlocks * card.blockSize) return false;
  return meaningsOf("event_used_blocks", { engine: undefined, possible }).has("tokens");
}

/** Ranks whose newest used blocks are more than 0. */
function countSpeaking(heard: Heard): number {
  let ranks = 0;
  for (const { said } of heard.values()) if (said.kind === "blocks" && said.usedBlocks > 0) ranks++;
  return ranks;
}
