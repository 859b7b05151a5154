/**
 * What the original `metrics` made of hit-rate events, and what ours makes of them: in the order in which they were sent
 * to it (testdata/original_behaviour/hit-rate-events.txt). One table for the test and for the README.
 */
export interface OddEvent {
  readonly event: string;
  /** Whether the original counted it. */
  readonly original: "counted" | "refused";
  readonly ours: "counted" | "not_json" | "fields";
  /** Where the two differ: why ours is right. */
  readonly why?: string;
}

const UNSIGNED = "ids are unsigned 64-bit integers";

export const ODD_EVENTS: readonly OddEvent[] = [
  { event: '{"worker_id":1,"isl_blocks":10,"overlap_blocks":4}', original: "counted", ours: "counted" },
  { event: '{"worker_id":1,"isl_blocks":10,"overlap_blocks":40}', original: "counted", ours: "counted" },
  { event: '{"worker_id":2,"isl_blocks":0,"overlap_blocks":0}', original: "counted", ours: "counted" },
  {
    event: '{"worker_id":-3,"isl_blocks":1,"overlap_blocks":1}',
    original: "counted",
    ours: "fields",
    why: UNSIGNED,
  },
  {
    event: '{"worker_id":9223372036854775808,"isl_blocks":1,"overlap_blocks":1}',
    original: "refused",
    ours: "counted",
    why: UNSIGNED,
  },
  {
    event: '{"worker_id":7587884888253033398,"isl_blocks":5,"overlap_blocks":5,"dp_rank":1}',
    original: "counted",
    ours: "counted",
  },
  { event: '{"worker_id":4,"isl_blocks":-1,"overlap_blocks":0}', original: "refused", ours: "fields" },
  { event: '{"worker_id":5,"isl_blocks":1.5,"overlap_blocks":0}', original: "refused", ours: "fields" },
  { event: '{"worker_id":6,"isl_blocks":1}', original: "refused", ours: "fields" },
  { event: '{"worker_id":"7","isl_blocks":1,"overlap_blocks":1}', original: "refused", ours: "fields" },
  { event: "hello", original: "refused", ours: "not_json" },
  { event: "", original: "refused", ours: "not_json" },
  {
    event: "[8,1,1]",
    original: "counted",
    ours: "fields",
    why: "no Dynamo program sends a list; it was taken by accident",
  },
  {
    event: '{"worker_id":9,"isl_blocks":18446744073709551615,"overlap_blocks":1}',
    original: "counted",
    ours: "counted",
  },
  { event: '{"worker_id":1,"isl_blocks":1,"overlap_blocks":0}', original: "counted", ours: "counted" },
];
