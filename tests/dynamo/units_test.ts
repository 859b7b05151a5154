import assert from "node:assert/strict";
import { ANY_RELEASE, type Releases, releases } from "../../lib/dynamo/release.ts";
import {
  type CountedFact,
  type Engine,
  mayHaveUnseededRanks,
  type Meaning,
  meaningsOf,
} from "../../lib/dynamo/units.ts";

const OLD = releases("1.1.1", "1.2.1");
const NEW = releases("1.4.2");
const BOTH = releases("1.2.1", "1.3.1");
const CONTRADICTION: Releases = 0;

/** What each fact can mean, by engine and releases. */
const MEANINGS: readonly [CountedFact, Engine | undefined, Releases, readonly Meaning[]][] = [
  ["card_total_blocks", "vllm", OLD, ["all"]],
  ["card_total_blocks", "vllm", NEW, ["rank"]],
  ["card_total_blocks", "vllm", BOTH, ["all", "rank"]],
  ["card_total_blocks", "sglang", OLD, ["rank"]],
  ["card_total_blocks", undefined, OLD, ["all", "rank"]],
  ["card_total_blocks", undefined, NEW, ["rank"]],
  ["card_total_blocks", "vllm", ANY_RELEASE, ["rank"]],
  ["card_total_blocks", "vllm", CONTRADICTION, ["rank"]],
  ["card_max_seqs", "sglang", OLD, ["all"]],
  ["card_max_seqs", "sglang", NEW, ["rank"]],
  ["card_max_seqs", "vllm", OLD, ["rank"]],
  ["card_max_seqs", undefined, OLD, ["all", "rank"]],
  ["page_total_blocks", "vllm", OLD, ["all"]],
  ["page_total_blocks", "sglang", OLD, ["tokens"]],
  ["page_total_blocks", "sglang", NEW, ["rank"]],
  ["page_total_blocks", "trtllm", OLD, ["rank"]],
  ["event_used_blocks", "vllm", OLD, ["all"]],
  ["event_used_blocks", "sglang", OLD, ["tokens"]],
  ["event_used_blocks", "sglang", BOTH, ["rank", "tokens"]],
  ["event_used_blocks", undefined, OLD, ["all", "rank", "tokens"]],
  ["event_used_blocks", undefined, NEW, ["rank"]],
];

Deno.test("what a number counts is known by engine and release, and several meanings are told as such", () => {
  for (const [fact, engine, possible, meanings] of MEANINGS) {
    const found = [...meaningsOf(fact, { engine, possible })].toSorted();
    assert.deepEqual(found, meanings, `${fact} ${engine} ${possible}`);
  }
});

Deno.test("ranks that do not know their total are of releases to 1.5.1, and of none that is not known", () => {
  assert.ok(mayHaveUnseededRanks(releases("1.4.2", "1.4.2")));
  assert.ok(mayHaveUnseededRanks(OLD));
  assert.ok(!mayHaveUnseededRanks(releases("1.6.1")));
  assert.ok(!mayHaveUnseededRanks(ANY_RELEASE));
});
