/** What readers of `/api/v1` are told (docs/api): ids are decimal strings, and a field is absent where it is not known. */

import type { FindingCode, Severity } from "../findings/codes.ts";
import type { CHANGE_REASONS, ChangeKind } from "../fleet/changes.ts";
import type { WorkerState } from "../fleet/worker_snapshot.ts";

export type State = WorkerState;

export interface Fleet extends Head {
  /** The program's, with its revision if that is known. */
  readonly version?: string;
  readonly targets: readonly Target[];
}

interface Head {
  readonly seq: number;
  readonly at: string;
  /** Deprecated, see `connections`. */
  readonly nats?: { readonly connected: boolean; readonly reconnects: number };
  /** Deprecated, see `connections`; where workers are registered. */
  readonly etcd?: { readonly kind: string; readonly connected: boolean };
  /** NATS, the store, and the publishers that cannot be reached; absent from programs before 0.4. */
  readonly connections?: readonly Connection[];
  /** Worst first; in a change they are absent if they are as before. Absent from programs before 0.4. */
  readonly findings?: readonly Finding[];
  /** How many there are beside those; absent if there are none. */
  readonly findings_more?: number;
  /** How many findings there are of each code that are about no single target; absent from programs before 0.5. */
  readonly finding_counts?: FindingCounts;
}

/** Something that is wrong, or good to know: docs/findings.md says what each code means. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly since?: string;
  /** `namespace/component/endpoint` */
  readonly target?: string;
  readonly worker?: string;
  readonly text: string;
  /** The cause where it is known, else what to do. */
  readonly hint: string;
}

/** How many findings there are of each code, of which there is one at least. */
export type FindingCounts = Readonly<Partial<Record<FindingCode, number>>>;

/** A connection to a server or a worker. */
export interface Connection {
  /** `NATS`, `etcd`, `file store`, or of a publisher `HOST:PORT TOPIC`. */
  readonly name: string;
  /** `nats`, `etcd`, `file` or `zmq`. */
  readonly kind: string;
  readonly connected: boolean;
  /** Why it is not connected, once that is known. */
  readonly reason?: string;
  /** When `connected` became what it is. */
  readonly since: string;
}

export interface TargetName {
  readonly namespace: string;
  readonly component: string;
  readonly endpoint: string;
}

/** What is said of a target beside its workers. */
export interface TargetHead extends TargetName {
  /** Whether all that the target needs was reached. */
  readonly up: boolean;
  readonly needs_nats: boolean;
  readonly aggregate: Aggregate;
  /** How many findings there are of each code about this target and its workers; absent from programs before 0.5. */
  readonly finding_counts?: FindingCounts;
  /** Absent if none matters any more: as many workers are alive as before, or five minutes are over. */
  readonly losses?: Losses;
  /** Since when changes are noted; absent before the first look, and from programs before 0.4. */
  readonly changes_since?: string;
}

/** Workers that fell silent and then went. */
export interface Losses {
  readonly workers: number;
  /** When the last of them went. */
  readonly at: string;
  /** The last ones, newest first. */
  readonly ids: readonly string[];
}

export interface Target extends TargetHead {
  /** What became of workers lately, oldest first; absent from programs before 0.4. */
  readonly changes?: readonly WorkerChange[];
  /** Ordered by id. */
  readonly workers: readonly Worker[];
}

/** What became of a worker, and why. */
export interface WorkerChange {
  readonly at: string;
  readonly id: string;
  readonly kind: ChangeKind;
  readonly reason: typeof CHANGE_REASONS[ChangeKind][number];
  /** The last sign of life of one that is silent or gone. */
  readonly last_seen_at?: string;
}

export interface Aggregate {
  readonly workers: Readonly<Record<State, number>>;
  readonly load_avg?: number;
  readonly load_std?: number;
  readonly kv_blocks_used?: number;
  readonly kv_blocks_total?: number;
  /** 0 to 1. */
  readonly kv_utilisation?: number;
  readonly slots_active?: number;
  readonly slots_total?: number;
  /** 0 to 1. */
  readonly slot_utilisation?: number;
  readonly requests_waiting?: number;
  readonly requests_in_flight?: number;
  /** Workers with several ranks whose numbers are over some of these only; absent if there are none. */
  readonly workers_partial?: number;
  /** Stuck workers; absent if there are none. */
  readonly workers_stuck?: number;
  /** Ranks whose heartbeats have ended; absent if there are none. */
  readonly ranks_silent?: number;
  readonly hit_rate?: { readonly isl_blocks: number; readonly overlap_blocks: number };
  readonly round?: Round;
}

export interface Round {
  readonly at: string;
  readonly seconds: number;
  readonly failed: boolean;
  readonly expected: number;
  readonly answered: number;
  readonly decoded: number;
}

export interface Worker {
  readonly id: string;
  readonly state: State;
  readonly registered?: boolean;
  readonly release?: string;
  readonly service_version?: string;
  readonly load_shape?: string;
  readonly worker_type?: string;
  readonly model?: string;
  /** Of a worker with several ranks: how many its card says, and the fewest that a number here is over. */
  readonly ranks_expected?: number;
  readonly ranks_heard?: number;
  /** Since when requests are in flight without a finished forward pass, once that is `--stuck-after`. */
  readonly stuck_since?: string;
  /** Requests are in flight, and the engine has not finished its first pass. */
  readonly first_pass_pending?: true;
  /** Why its page is not read. */
  readonly page_problem?: string;
  readonly channels: readonly string[];
  readonly last_seen_at?: string;
  readonly kv_blocks_used?: number;
  readonly kv_blocks_total?: number;
  readonly slots_active?: number;
  readonly slots_total?: number;
  readonly requests_waiting?: number;
  /** What its page says of `generate`; never part of the active slots or the waiting ones. */
  readonly requests_in_flight?: number;
  /** 0 to 1. */
  readonly cache_usage?: number;
  /** 0 to 1. */
  readonly prefix_hit?: number;
  readonly ranks?: readonly Rank[];
  readonly estimates?: readonly Estimate[];
  readonly endpoints?: readonly Endpoint[];
}

export interface Rank {
  readonly dp_rank: number;
  /** Whether its heartbeats have ended; absent of a rank that sends none. */
  readonly silent?: boolean;
  readonly kv_blocks_used?: number;
  readonly requests_running?: number;
  readonly requests_waiting?: number;
  /** 0 to 1. */
  readonly cache_usage?: number;
  /** 0 to 1. */
  readonly prefix_hit?: number;
}

export interface Estimate {
  readonly router: string;
  readonly dp_rank: number;
  readonly active_decode_blocks?: number;
  readonly active_prefill_tokens?: number;
}

export interface Endpoint {
  readonly name: string;
  readonly requests?: number;
  readonly errors?: number;
  readonly processing_seconds?: number;
}

/** Of each message of the stream: the server's clock when it was sent. */
export interface Alive {
  readonly now: string;
}

/** One message of the stream after the first. */
export interface Change extends Head {
  readonly targets: readonly TargetChange[];
}

export interface TargetChange extends TargetHead {
  /** Those that are new, oldest first; absent if there are none. */
  readonly changes?: readonly WorkerChange[];
  /** Whole workers that are new, or of whom more differs than numbers and a later `last_seen_at`. */
  readonly changed: readonly Worker[];
  /** The workers of whom only numbers differ; absent when there are none. */
  readonly numbers?: Numbers;
  readonly gone: readonly string[];
  /**
   * When all that are neither in `changed` nor in `not_seen` gave their last sign of life, or shortly after that; those in
   * `numbers` too.
   */
  readonly seen_at?: string;
  readonly not_seen: readonly string[];
}

/**
 * Numbers of the workers `id`, column by column: one value for each, null where it is not known, or in a list's columns one
 * for each item of each worker. A column that is absent changed for none of them.
 */
export interface Numbers extends Columns<Worker> {
  readonly id: readonly string[];
  readonly ranks?: Columns<Rank>;
  readonly estimates?: Columns<Estimate>;
  readonly endpoints?: Columns<Endpoint>;
}

/** What counts, by name; `dp_rank` does not, it is a name. */
export type Columns<T> = {
  readonly [
    Name in keyof T as Exclude<T[Name], undefined> extends number ? Exclude<Name, "dp_rank"> : never
  ]?: Column;
};

export type Column = readonly (number | null)[];

export interface HistoryAnswer {
  readonly step_seconds: number;
  /** The time of the last value of each series. */
  readonly to: string;
  readonly targets: readonly (TargetName & {
    readonly series: Readonly<Record<string, readonly (number | null)[]>>;
  })[];
}
