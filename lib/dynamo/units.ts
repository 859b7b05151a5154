import { ANY_RELEASE, isWithin, NEWEST_RELEASE, overlaps, type Releases, releases } from "./release.ts";

/** The engines whose numbers are told apart. Dynamo's mocker writes what vLLM writes since 1.3.1. */
export const ENGINES = ["vllm", "sglang", "trtllm"] as const;
export type Engine = typeof ENGINES[number];

/** The numbers whose unit or scope changed from release to release. */
const COUNTED_FACTS = [
  "card_total_blocks",
  "card_max_seqs",
  "page_total_blocks",
  "event_used_blocks",
] as const;
export type CountedFact = typeof COUNTED_FACTS[number];

/**
 * What a number counts. `rank`: of one rank. `all`: of all ranks together; of `event_used_blocks` the rank's number times
 * the ranks. `tokens`: tokens of one rank in the place of its blocks.
 */
export type Meaning = "rank" | "all" | "tokens";

interface Exception {
  readonly fact: CountedFact;
  readonly engine: Engine;
  readonly releases: Releases;
  readonly means: Exclude<Meaning, "rank">;
  readonly source: string;
}

const TO_1_2_1 = releases("0.7.1", "1.2.1");
/** Pages name `dynamo_component_total_blocks` since 1.0.2; before that no page has a total of another unit. */
const PAGES_TO_1_2_1 = releases("1.0.2", "1.2.1");

/** The numbers that do not count blocks or slots of one rank. */
export const UNIT_EXCEPTIONS: readonly Exception[] = [
  {
    fact: "card_total_blocks",
    engine: "vllm",
    releases: TO_1_2_1,
    means: "all",
    source: "vLLM 0.14.1 behind 0.9.1 and 0.20.1 behind 1.2.1, two ranks each, run; dynamo#9932",
  },
  {
    fact: "card_max_seqs",
    engine: "sglang",
    releases: TO_1_2_1,
    means: "all",
    source: "wheels of 0.7.1 to 1.2.1, read",
  },
  {
    fact: "page_total_blocks",
    engine: "vllm",
    releases: PAGES_TO_1_2_1,
    means: "all",
    source: "vLLM 0.20.1 behind 1.2.1, two ranks, run",
  },
  {
    fact: "page_total_blocks",
    engine: "sglang",
    releases: PAGES_TO_1_2_1,
    means: "tokens",
    source: "wheels of 0.7.1 to 1.2.1, read; dynamo#9932",
  },
  {
    fact: "event_used_blocks",
    engine: "vllm",
    releases: TO_1_2_1,
    means: "all",
    source: "vLLM 0.14.1 behind 0.9.1 and 0.20.1 behind 1.2.1, two ranks each, run",
  },
  {
    fact: "event_used_blocks",
    engine: "sglang",
    releases: TO_1_2_1,
    means: "tokens",
    source: "wheels of 0.7.1 to 1.2.1, read; dynamo#9932",
  },
];

/**
 * What a number can mean when a worker of one of these releases says it. Several where the releases, or the engines
 * (`engine` undefined: any of them), do not agree. A release that is not known counts as the newest known one.
 */
export function meaningsOf(
  fact: CountedFact,
  { engine, possible }: { readonly engine: Engine | undefined; readonly possible: Releases },
): ReadonlySet<Meaning> {
  const places = 1 + ENGINES.length;
  const place = engine === undefined ? ENGINES.length : ENGINES.indexOf(engine);
  const key = (possible * COUNTED_FACTS.length + COUNTED_FACTS.indexOf(fact)) * places + place;
  return known.getOrInsertComputed(key, () => findMeanings(fact, engine, possible));
}

/** There are few, and each worker asks for them again and again. */
const known = new Map<number, ReadonlySet<Meaning>>();

function findMeanings(
  fact: CountedFact,
  engine: Engine | undefined,
  possible: Releases,
): ReadonlySet<Meaning> {
  const among = possible === ANY_RELEASE || possible === 0 ? releases(NEWEST_RELEASE) : possible;
  const meanings = new Set<Meaning>();
  for (const one of engine === undefined ? ENGINES : [engine]) {
    const exception = UNIT_EXCEPTIONS.find((row) => row.fact === fact && row.engine === one);
    if (exception && overlaps(among, exception.releases)) meanings.add(exception.means);
    if (exception === undefined || !isWithin(among, exception.releases)) meanings.add("rank");
  }
  if (engine === undefined) meanings.add("rank"); // Mockers of all releases.
  return meanings;
}

/**
 * The releases in which a rank of vLLM may say 0 used blocks because it does not know its total: all ranks but the last.
 * (Run: 1.2.1. Read in the wheels: to 1.4.2; 1.5.1 was not looked at; in 1.6.1 all ranks know it.)
 */
const UNSEEDED_RANKS = releases("0.1.0", "1.5.1");

export function mayHaveUnseededRanks(possible: Releases): boolean {
  return possible !== ANY_RELEASE && overlaps(possible, UNSEEDED_RANKS);
}
