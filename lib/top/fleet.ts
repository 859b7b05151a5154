/** The fleet as /api/v1 tells it (docs/api): what is not known is absent, ids are decimal text. */
export interface Fleet extends Head {
  readonly targets: readonly Target[];
}

interface Head {
  readonly seq: number;
  readonly at: string;
  readonly nats?: { readonly connected: boolean; readonly reconnects: number };
  readonly etcd?: { readonly kind: "etcd" | "file"; readonly connected: boolean };
}

export interface TargetName {
  readonly namespace: string;
  readonly component: string;
  readonly endpoint: string;
}

interface TargetHead extends TargetName {
  readonly up: boolean;
  /** False where all workers are seen without NATS. */
  readonly needs_nats: boolean;
  readonly aggregate: Aggregate;
}

export interface Target extends TargetHead {
  /** Ordered by id. */
  readonly workers: readonly Worker[];
}

export interface Aggregate {
  readonly workers: Readonly<Record<WorkerState, number>>;
  readonly load_avg?: number;
  readonly load_std?: number;
  readonly kv_blocks_used?: number;
  readonly kv_blocks_total?: number;
  readonly kv_utilisation?: number;
  readonly slots_active?: number;
  readonly slots_total?: number;
  readonly slot_utilisation?: number;
  readonly requests_waiting?: number;
  readonly hit_rate?: { readonly isl_blocks: number; readonly overlap_blocks: number };
  readonly round?: {
    readonly at: string;
    readonly seconds: number;
    readonly failed: boolean;
    readonly expected: number;
    readonly answered: number;
    readonly decoded: number;
  };
}

export type WorkerState = "discovered" | "responding" | "no_data" | "undecodable" | "silent";

export interface Worker {
  readonly id: string;
  readonly state: WorkerState;
  readonly registered?: boolean;
  readonly release?: string;
  readonly service_version?: string;
  readonly load_shape?: string;
  readonly worker_type?: string;
  readonly model?: string;
  readonly channels: readonly string[];
  readonly last_seen_at?: string;
  readonly kv_blocks_used?: number;
  readonly kv_blocks_total?: number;
  readonly slots_active?: number;
  readonly slots_total?: number;
  readonly requests_waiting?: number;
  readonly cache_usage?: number;
  readonly prefix_hit?: number;
  readonly ranks?: readonly {
    readonly dp_rank: number;
    readonly kv_blocks_used?: number;
    readonly requests_running?: number;
    readonly requests_waiting?: number;
  }[];
  readonly estimates?: readonly {
    readonly router: string;
    readonly dp_rank: number;
    readonly active_decode_blocks?: number;
    readonly active_prefill_tokens?: number;
  }[];
  readonly endpoints?: readonly {
    readonly name: string;
    readonly requests?: number;
    readonly errors?: number;
    readonly processing_seconds?: number;
  }[];
}

/** What differs from the fleet before. */
export interface Change extends Head {
  readonly targets: readonly TargetChange[];
}

interface TargetChange extends TargetHead {
  readonly changed: readonly Worker[];
  readonly gone: readonly string[];
  readonly seen_at?: string;
  readonly not_seen: readonly string[];
}

/** The last minutes; each series oldest first, null where it was not known. */
export interface Past {
  readonly step_seconds: number;
  readonly to: string;
  readonly targets: readonly (TargetName & {
    readonly series: Readonly<Record<string, readonly (number | null)[]>>;
  })[];
}

/** The fleet after the change. */
export function withChange(before: Fleet, { targets, ...head }: Change): Fleet {
  const known = new Map(before.targets.map((target) => [pathOf(target), target.workers]));
  return {
    ...head,
    targets: targets.map((change) => {
      const { namespace, component, endpoint, up, needs_nats, aggregate } = change;
      const workers = workersAfter(known.get(pathOf(change)) ?? [], change);
      return { namespace, component, endpoint, up, needs_nats, aggregate, workers };
    }),
  };
}

/** Those that are in no list of the change gave a sign of life at its `seen_at`. */
function workersAfter(
  before: readonly Worker[],
  { changed, gone, seen_at, not_seen }: TargetChange,
): readonly Worker[] {
  const renewed = new Map(changed.map((worker) => [worker.id, worker]));
  const left = new Set(gone);
  const quiet = new Set(not_seen);
  const workers: Worker[] = [];
  for (const worker of before) {
    const { id } = worker;
    const renewal = renewed.get(id);
    if (renewal !== undefined) {
      workers.push(renewal);
      renewed.delete(id);
    } else if (left.has(id)) continue;
    else workers.push(seen_at === undefined || quiet.has(id) ? worker : { ...worker, last_seen_at: seen_at });
  }
  if (renewed.size === 0) return workers;
  return [...workers, ...renewed.values()].sort((a, b) => compareIds(a.id, b.id));
}

/** Decimal ids without leading zeros: the longer is the larger. */
function compareIds(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** `namespace/component/endpoint` */
export function pathOf({ namespace, component, endpoint }: TargetName): string {
  return `${namespace}/${component}/${endpoint}`;
}
