/**
 * What the original `metrics` 0.1.1 made of odd replies, and what ours makes of them. One table for the test that shows
 * each row and for the README's list of differences.
 *
 * Blocks in use by worker id are what tells the pages apart; "NaN" is a page that has only `llm_load_avg NaN` and
 * `llm_load_std NaN`, "nothing" an empty one.
 */
export interface OddReply {
  /** The name of the capture in testdata/original_behaviour/odd-replies.json. */
  readonly capture: string;
  readonly original: Blocks | "NaN" | "nothing";
  /** "same": every sample of the original's names is equal. */
  readonly ours: "same" | Blocks;
  /** What is counted beside: rejections by reason, and workers in states without load. */
  readonly counted?: readonly string[];
  /** Where the two differ: why ours is right. */
  readonly why?: string;
}

type Blocks = Readonly<Record<string, number>>;

const NO_NAN = "a number that nobody sent is absent, never NaN";
const TOLERANT = "what is missing beside the load says nothing about the load";
const NO_MICRO = "the NATS service's own fields say nothing about the load beside them";
const UNSIGNED = "ids are unsigned 64-bit integers";

export const ODD_REPLIES: readonly OddReply[] = [
  { capture: "plain", original: { 161: 40 }, ours: "same" },
  { capture: "two endpoints one reply", original: { 161: 10, 162: 30 }, ours: "same" },
  { capture: "null-data endpoint generate first", original: { 161: 40 }, ours: "same" },
  {
    capture: "prefix: load_metrics2 also matches",
    original: { 161: 10, 162: 30 },
    ours: { 161: 10 },
    why: "an endpoint is meant by its whole name, not by how it begins",
  },
  {
    capture: "undecodable first, good second (pairing)",
    original: { 161: 30 },
    ours: { 162: 30 },
    counted: ["load", "undecodable"],
    why: "a number stays with the worker that sent it",
  },
  {
    capture: "good first, undecodable second",
    original: { 161: 10 },
    ours: "same",
    counted: ["load", "undecodable"],
  },
  { capture: "data null only", original: "NaN", ours: {}, counted: ["no_data"], why: NO_NAN },
  { capture: "data absent", original: "NaN", ours: {}, counted: ["no_data"], why: NO_NAN },
  { capture: "missing num_requests_waiting", original: "NaN", ours: { 161: 40 }, why: TOLERANT },
  { capture: "missing gpu_prefix_cache_hit_rate", original: "NaN", ours: { 161: 40 }, why: TOLERANT },
  { capture: "extra field", original: { 161: 40 }, ours: "same" },
  { capture: "negative kv_active", original: "NaN", ours: {}, counted: ["load", "undecodable"], why: NO_NAN },
  {
    capture: "float kv_active 1.5",
    original: "NaN",
    ours: {},
    counted: ["load", "undecodable"],
    why: NO_NAN,
  },
  {
    capture: "float kv_active 2.0",
    original: "NaN",
    ours: {},
    counted: ["load", "undecodable"],
    why: NO_NAN,
  },
  { capture: "string kv_active", original: "NaN", ours: {}, counted: ["load", "undecodable"], why: NO_NAN },
  { capture: "huge u64 kv_active 2^63", original: { 161: 2 ** 63 }, ours: "same" },
  { capture: "kv_active 2^64", original: "NaN", ours: {}, counted: ["load", "undecodable"], why: NO_NAN },
  { capture: "hit rate 0.1 / 1e-9 / int", original: { 161: 40, 162: 40, 163: 40 }, ours: "same" },
  { capture: "hit rate null", original: "NaN", ours: { 161: 40 }, why: TOLERANT },
  { capture: "id upper-case hex", original: { 41471: 40 }, ours: "same" },
  { capture: "id not hex", original: "NaN", ours: {}, counted: ["worker_id"], why: NO_NAN },
  { capture: "id 2^63", original: "NaN", ours: { "9223372036854775808": 40 }, why: UNSIGNED },
  { capture: "id 16 f", original: "NaN", ours: { "18446744073709551615": 40 }, why: UNSIGNED },
  { capture: "id with 0 pad", original: { 161: 40 }, ours: "same" },
  { capture: "no id", original: "NaN", ours: {}, counted: ["worker_id"], why: NO_NAN },
  { capture: "subject of other service", original: "nothing", ours: "same" },
  { capture: "missing last_error", original: "NaN", ours: { 161: 40 }, why: NO_MICRO },
  { capture: "missing queue_group", original: "NaN", ours: { 161: 40 }, why: NO_MICRO },
  { capture: "missing ep name", original: "nothing", ours: { 161: 40 }, why: NO_MICRO },
  { capture: "missing started", original: "nothing", ours: { 161: 40 }, why: NO_MICRO },
  { capture: "bad started", original: { 161: 40 }, ours: "same" },
  { capture: "missing id", original: "nothing", ours: { 161: 40 }, why: NO_MICRO },
  { capture: "missing type", original: { 161: 40 }, ours: "same" },
  { capture: "other name", original: { 161: 40 }, ours: "same" },
  { capture: "negative num_requests", original: "NaN", ours: { 161: 40 }, why: NO_MICRO },
  { capture: "not json + good", original: { 161: 40 }, ours: "same", counted: ["not_json"] },
  { capture: "empty body + good", original: { 161: 40 }, ours: "same", counted: ["not_json"] },
  {
    capture: "same id twice (two replies)",
    original: { 161: 30 },
    ours: { 161: 30 },
    counted: ["duplicate_id"],
    why: "a worker counts once in the average",
  },
  { capture: "late reply 0.9s", original: { 161: 10, 162: 30 }, ours: "same" },
  {
    capture: "late reply 1.3s",
    original: { 161: 10 },
    ours: { 161: 10, 162: 30 },
    why: "an answer that comes after its round counts when it comes",
  },
  {
    capture: "nested data",
    original: "NaN",
    ours: { 161: 40 },
    why: "the load records of all releases are read",
  },
  { capture: "no replies", original: "nothing", ours: "same" },
];
