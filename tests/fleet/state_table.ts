import type { LoadOutcome } from "../../lib/scrape/answer.ts";
import {
  a,
  answer,
  card,
  etcd,
  etcdOfChannels,
  late,
  observations,
  observed,
  round,
  type Step,
  time,
} from "../helpers/fleet_steps.ts";

/** A worker's state, or `unknown` for an id of which nothing was heard, or `gone`. */
export type State = "unknown" | "discovered" | "responding" | "no_data" | "undecodable" | "silent" | "gone";

/** One edge: from a state, by what happens, to a state; the state is looked at in the moment `at`. */
export interface Edge {
  readonly from: State;
  readonly when: string;
  readonly to: State;
  /** Without etcd; else etcd lists the worker at first. */
  readonly withoutEtcd?: true;
  readonly steps: readonly Step[];
  readonly at: number;
}

const NO_DATA: LoadOutcome = { kind: "no_data" };
const UNDECODABLE: LoadOutcome = { kind: "undecodable" };

const BLOCKS = { kind: "blocks", usedBlocks: 40 } as const;
const ESTIMATE = {
  kind: "router",
  router: "9",
  activeDecodeBlocks: 40,
  activePrefillTokens: 1,
} as const;
const BEAT = { kind: "forward_pass", running: 1, waiting: 0 } as const;
const PAGE = { kind: "page", numbers: { dpRank: 0, running: 4, waiting: 1 } } as const;
const EMPTY_PAGE = { kind: "page", numbers: { dpRank: "engine", inFlight: 5 } } as const;
/** A worker that speaks by itself: etcd names its channel. */
const CHANNEL: Step = [22, etcdOfChannels(true, [card(a)])];
const GONE_KEY = etcdOfChannels(true, []);

/** How a worker comes into each state: the last step is at 20 ms, but silence begins at 3,010 ms. */
export function stepsTo(state: State, options: { withoutEtcd?: true }): readonly Step[] {
  const listed: Step[] = options.withoutEtcd || state === "unknown" ? [] : [[5, etcd(0, true, a)]];
  switch (state) {
    case "unknown":
    case "discovered":
      return listed;
    case "responding":
      return [...listed, [10, round(1, 10, [answer(a, 1, 10)])]];
    case "no_data":
      return [...listed, [10, round(1, 10, [answer(a, 1, 10, NO_DATA)])]];
    case "undecodable":
      return [...listed, [10, round(1, 10, [answer(a, 1, 10, UNDECODABLE)])]];
    case "silent":
      return [...stepsTo("responding", options), [3_010, time(4)]];
    case "gone":
      return options.withoutEtcd
        ? [...stepsTo("responding", options), [30_010, time(4)]]
        : [...stepsTo("responding", options), [15, etcd(1, true)], [20, round(2, 20, [])]];
  }
}

/** All edges, in the order of the states. */
export const STATE_TABLE: readonly Edge[] = [
  { from: "unknown", when: "etcd lists it", to: "discovered", steps: [[30, etcd(0, true, a)]], at: 30 },
  {
    from: "unknown",
    when: "it answers with load, registered or not, in a round or after it",
    to: "responding",
    steps: [[30, late(answer(a, 1, 30))]],
    at: 30,
  },
  {
    from: "unknown",
    when: "it answers without load data",
    to: "no_data",
    steps: [[30, round(1, 30, [answer(a, 1, 30, NO_DATA)])]],
    at: 30,
  },
  {
    from: "unknown",
    when: "it answers with a record that is no load",
    to: "undecodable",
    steps: [[30, round(1, 30, [answer(a, 1, 30, UNDECODABLE)])]],
    at: 30,
  },
  {
    from: "discovered",
    when: "it answers with load",
    to: "responding",
    steps: [[30, round(1, 30, [answer(a, 1, 30)])]],
    at: 30,
  },
  {
    from: "discovered",
    when: "it answers without load data",
    to: "no_data",
    steps: [[30, round(1, 30, [answer(a, 1, 30, NO_DATA)])]],
    at: 30,
  },
  {
    from: "discovered",
    when: "it answers with a record that is no load",
    to: "undecodable",
    steps: [[30, round(1, 30, [answer(a, 1, 30, UNDECODABLE)])]],
    at: 30,
  },
  {
    from: "discovered",
    when: "time passes, with or without rounds",
    to: "discovered",
    steps: [[30, round(1, 30, [])], [1e9, time(2)]],
    at: 1e9,
  },
  { from: "discovered", when: "etcd goes away", to: "discovered", steps: [[30, etcd(0, false, a)]], at: 30 },
  {
    from: "discovered",
    when: "its key vanishes: it never answered",
    to: "gone",
    steps: [[30, etcd(1, true)]],
    at: 30,
  },
  {
    from: "responding",
    when: "a round brings no answer, before --stale-after",
    to: "responding",
    steps: [[1_000, round(2, 1_000, [])]],
    at: 3_009,
  },
  {
    from: "responding",
    when: "it answers without load data",
    to: "no_data",
    steps: [[30, round(2, 30, [answer(a, 2, 30, NO_DATA)])]],
    at: 30,
  },
  {
    from: "responding",
    when: "it answers with a record that is no load",
    to: "undecodable",
    steps: [[30, round(2, 30, [answer(a, 2, 30, UNDECODABLE)])]],
    at: 30,
  },
  {
    from: "responding",
    when: "no answer for --stale-after",
    to: "silent",
    steps: [[3_010, time(4)]],
    at: 3_010,
  },
  {
    from: "responding",
    when: "NATS goes away: no load, before --stale-after",
    to: "responding",
    steps: [[30, round(2, 30, [], "disconnected")]],
    at: 30,
  },
  {
    from: "responding",
    when: "its key vanishes; a question sent before that brings no answer",
    to: "responding",
    steps: [[30, etcd(2, true)], [40, round(2, 40, [])]],
    at: 40,
  },
  {
    from: "responding",
    when: "its key vanishes, and a question sent after that brings no answer",
    to: "gone",
    steps: [[30, etcd(1, true)], [40, round(2, 40, [])]],
    at: 40,
  },
  {
    from: "responding",
    when: "its key vanishes, and it answers a question sent after that (etcd wiped, lease lost, it drains)",
    to: "responding",
    steps: [[30, etcd(1, true)], [40, round(2, 40, [answer(a, 2, 40)])], [50, round(3, 50, [])]],
    at: 50,
  },
  {
    from: "responding",
    when: "it has no key, answered after that went, and is silent while rounds work",
    to: "gone",
    steps: [
      [30, etcd(1, true)],
      [40, round(2, 40, [answer(a, 2, 40)])],
      [3_000, round(3, 3_000, [])],
      [3_040, time(3)],
    ],
    at: 3_040,
  },
  {
    from: "no_data",
    when: "it answers with load",
    to: "responding",
    steps: [[30, round(2, 30, [answer(a, 2, 30)])]],
    at: 30,
  },
  {
    from: "no_data",
    when: "it answers with a record that is no load",
    to: "undecodable",
    steps: [[30, round(2, 30, [answer(a, 2, 30, UNDECODABLE)])]],
    at: 30,
  },
  {
    from: "no_data",
    when: "no answer for --stale-after",
    to: "silent",
    steps: [[3_010, time(4)]],
    at: 3_010,
  },
  {
    from: "no_data",
    when: "its key vanishes, and a question sent after that brings no answer",
    to: "gone",
    steps: [[30, etcd(1, true)], [40, round(2, 40, [])]],
    at: 40,
  },
  {
    from: "undecodable",
    when: "it answers with load",
    to: "responding",
    steps: [[30, round(2, 30, [answer(a, 2, 30)])]],
    at: 30,
  },
  {
    from: "undecodable",
    when: "it answers without load data",
    to: "no_data",
    steps: [[30, round(2, 30, [answer(a, 2, 30, NO_DATA)])]],
    at: 30,
  },
  {
    from: "undecodable",
    when: "no answer for --stale-after",
    to: "silent",
    steps: [[3_010, time(4)]],
    at: 3_010,
  },
  {
    from: "undecodable",
    when: "its key vanishes, and a question sent after that brings no answer",
    to: "gone",
    steps: [[30, etcd(1, true)], [40, round(2, 40, [])]],
    at: 40,
  },
  {
    from: "silent",
    when: "it answers with load, to its newest question or a newer one",
    to: "responding",
    steps: [[4_000, late(answer(a, 1, 4_000))]],
    at: 4_000,
  },
  {
    from: "silent",
    when: "it answers without load data",
    to: "no_data",
    steps: [[4_000, round(5, 4_000, [answer(a, 5, 4_000, NO_DATA)])]],
    at: 4_000,
  },
  {
    from: "silent",
    when: "it answers with a record that is no load",
    to: "undecodable",
    steps: [[4_000, round(5, 4_000, [answer(a, 5, 4_000, UNDECODABLE)])]],
    at: 4_000,
  },
  {
    from: "silent",
    when: "it answers a question older than one it answered",
    to: "silent",
    steps: [[4_000, late(answer(a, 0, 4_000))]],
    at: 4_000,
  },
  { from: "silent", when: "time passes while etcd lists it", to: "silent", steps: [[1e9, time(9)]], at: 1e9 },
  {
    from: "silent",
    when: "its key vanishes, and a question sent after that brings no answer",
    to: "gone",
    steps: [[4_000, etcd(5, true)], [4_010, round(6, 4_010, [])]],
    at: 4_010,
  },
  {
    from: "silent",
    when: "no answer for --forget-after, without etcd",
    to: "gone",
    withoutEtcd: true,
    steps: [[30_010, time(40)]],
    at: 30_010,
  },
  {
    from: "silent",
    when: "no answer for --forget-after, while etcd is away",
    to: "gone",
    steps: [[4_000, etcd(5, false, a)], [30_010, time(40)]],
    at: 30_010,
  },
  {
    from: "gone",
    when: "it answers a question sent before it went",
    to: "gone",
    steps: [[30, late(answer(a, 1, 30))]],
    at: 30,
  },
  {
    from: "gone",
    when: "it answers a question sent after it went",
    to: "responding",
    steps: [[30, round(3, 30, [answer(a, 3, 30)])]],
    at: 30,
  },
  {
    from: "gone",
    when: "it answers again, without etcd",
    to: "responding",
    withoutEtcd: true,
    steps: [[31_000, round(5, 31_000, [answer(a, 5, 31_000)])]],
    at: 31_000,
  },
  { from: "gone", when: "etcd lists it again", to: "discovered", steps: [[30, etcd(2, true, a)]], at: 30 },
  {
    from: "discovered",
    when: "it says its load by itself",
    to: "responding",
    steps: [CHANNEL, [30, observations(observed(30, a, BLOCKS))]],
    at: 30,
  },
  {
    from: "discovered",
    when: "it speaks by itself only when its load changes, and is quiet: its numbers may be old, not stale",
    to: "responding",
    steps: [CHANNEL, [30, observations(observed(30, a, BLOCKS))], [90_000, time(0)]],
    at: 90_000,
  },
  {
    from: "discovered",
    when: "it sends heartbeats, and none for --stale-after",
    to: "silent",
    steps: [CHANNEL, [30, observations(observed(30, a, BEAT))], [3_030, time(0)]],
    at: 3_030,
  },
  {
    from: "discovered",
    when: "it speaks by itself, and its key vanishes",
    to: "gone",
    steps: [CHANNEL, [30, observations(observed(30, a, BLOCKS))], [40, GONE_KEY]],
    at: 40,
  },
  {
    from: "discovered",
    when: "it speaks by itself, and etcd goes away",
    to: "responding",
    steps: [CHANNEL, [30, observations(observed(30, a, BLOCKS))], [40, etcdOfChannels(false, [])], [
      90_000,
      time(0),
    ]],
    at: 90_000,
  },
  {
    from: "discovered",
    when: "its page has load",
    to: "responding",
    steps: [[30, observations(observed(30, a, PAGE))]],
    at: 30,
  },
  {
    from: "discovered",
    when: "its page has no load",
    to: "no_data",
    steps: [[30, observations(observed(30, a, EMPTY_PAGE))]],
    at: 30,
  },
  {
    from: "discovered",
    when: "its page is there, and then not for --stale-after",
    to: "silent",
    steps: [[30, observations(observed(30, a, PAGE))], [3_030, time(0)]],
    at: 3_030,
  },
  {
    from: "discovered",
    when: "its page is there, and its key vanishes",
    to: "gone",
    steps: [[30, observations(observed(30, a, PAGE))], [40, GONE_KEY]],
    at: 40,
  },
  {
    from: "gone",
    when: "it speaks by itself",
    to: "gone",
    steps: [[30, observations(observed(30, a, BLOCKS))]],
    at: 30,
  },
  {
    from: "unknown",
    when: "it says its load by itself where only the target's workers do, without etcd",
    to: "responding",
    withoutEtcd: true,
    steps: [[30, observations(observed(30, a, BLOCKS))]],
    at: 30,
  },
  {
    from: "unknown",
    when: "it says its load by itself where the whole namespace does, without etcd",
    to: "unknown",
    withoutEtcd: true,
    steps: [[30, observations(observed(30, a, BLOCKS, { targets: undefined }))]],
    at: 30,
  },
  {
    from: "unknown",
    when: "a router speaks of it, without etcd",
    to: "unknown",
    withoutEtcd: true,
    steps: [[30, observations(observed(30, a, ESTIMATE))]],
    at: 30,
  },
  {
    from: "unknown",
    when: "it says its load by itself, and etcd does not list it",
    to: "unknown",
    steps: [[20, GONE_KEY], [30, observations(observed(30, a, BLOCKS))]],
    at: 30,
  },
  {
    from: "unknown",
    when: "it says its load by itself, without etcd, and nothing more for --stale-after",
    to: "silent",
    withoutEtcd: true,
    steps: [[30, observations(observed(30, a, BLOCKS))], [3_030, time(0)]],
    at: 3_030,
  },
  {
    from: "unknown",
    when: "it says its load by itself, without etcd, and nothing more for --forget-after",
    to: "gone",
    withoutEtcd: true,
    steps: [[30, observations(observed(30, a, BLOCKS))], [30_030, time(0)]],
    at: 30_030,
  },
  {
    from: "unknown",
    when: "it says its load by itself, without etcd; etcd comes and lists it, and it is quiet",
    to: "responding",
    withoutEtcd: true,
    steps: [[30, observations(observed(30, a, BLOCKS))], [40, etcd(0, true, a)], [90_000, time(0)]],
    at: 90_000,
  },
  {
    from: "unknown",
    when: "it says its load by itself, without etcd; etcd comes and does not list it",
    to: "gone",
    withoutEtcd: true,
    steps: [[30, observations(observed(30, a, BLOCKS))], [40, GONE_KEY]],
    at: 40,
  },
  {
    from: "gone",
    when: "it says its load by itself after it went, without etcd",
    to: "responding",
    withoutEtcd: true,
    steps: [[31_000, observations(observed(31_000, a, BLOCKS))]],
    at: 31_000,
  },
  {
    from: "gone",
    when: "what it said by itself before it went comes late, without etcd",
    to: "gone",
    withoutEtcd: true,
    steps: [[31_000, observations(observed(30_010, a, BLOCKS))]],
    at: 31_000,
  },
];
