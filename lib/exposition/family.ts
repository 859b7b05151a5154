import type { Target } from "../dynamo/target.ts";
import type { HitRateSum, HitRateTotals } from "../fleet/hit_rates.ts";
import type { RankNumbers } from "../fleet/rank_reading.ts";
import type { Snapshot, TargetSnapshot } from "../fleet/snapshot.ts";
import type { Estimate, WorkerSnapshot, WorkerState } from "../fleet/worker_snapshot.ts";
import type { EndpointCounters } from "../scrape/answer.ts";
import type { Label } from "./labels.ts";

/** One metric: what the page prints above its samples, what the reference says, and where its samples come from. */
export interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly source: Source;
}

/**
 * Where samples come from: the program's own counters (by the family's name), or the Snapshot, once for it or for each value of a label, for each
 * target, worker, channel, rank, estimate or endpoint of a worker, or worker named by hit-rate events; or the sum over all
 * workers of a target, or one for each value of a label. An undefined value is no sample.
 */
export type Source =
  | { readonly per: "counters"; readonly labels: readonly string[] }
  | { readonly per: "snapshot"; readonly value: (snapshot: Snapshot) => number | undefined }
  | {
    readonly per: "snapshot_by";
    readonly labels: readonly string[];
    /** Calls `add` with the values of the labels, for each sample. */
    readonly visit: (snapshot: Snapshot, add: (values: readonly string[], value: number) => void) => void;
  }
  | {
    readonly per: "target";
    readonly naming: Naming;
    readonly value: (target: TargetSnapshot) => number | undefined;
  }
  | { readonly per: "namespace"; readonly value: (totals: HitRateTotals) => number | undefined }
  | { readonly per: "state"; readonly value: (target: TargetSnapshot, state: WorkerState) => number }
  | {
    readonly per: "worker";
    readonly naming: Naming;
    readonly value: (worker: WorkerSnapshot) => number | undefined;
    readonly more?: {
      readonly names: readonly string[];
      /** Their values, in order; undefined of one that the worker does not have. */
      readonly labels: (worker: WorkerSnapshot) => readonly (string | undefined)[];
    };
  }
  | { readonly per: "channel" }
  | { readonly per: "rank"; readonly value: (rank: RankNumbers) => number | undefined }
  | { readonly per: "estimate"; readonly value: (estimate: Estimate) => number | undefined }
  | { readonly per: "endpoint"; readonly value: (counters: EndpointCounters) => number | undefined }
  | { readonly per: "hit_rate"; readonly value: (sums: HitRateSum) => number }
  | {
    readonly per: "workers";
    readonly how: "sum" | "mean";
    readonly value: (worker: WorkerSnapshot) => number | undefined;
  }
  | {
    readonly per: "workers_by";
    readonly label: string;
    /** Calls `add` with each value of the label that a worker has something for. */
    readonly visit: (worker: WorkerSnapshot, add: Add) => void;
  };

export type Add = (label: string, value: number | undefined) => void;

/** Whether workers have series of their own, or only their target has, with sums over them. */
export const WORKER_LABELS = ["full", "none"] as const;
export type WorkerLabels = typeof WORKER_LABELS[number];

/** How a family treats workers: each has samples, or all together have, or it does not look at them. */
type Grain = "each" | "all" | undefined;

const GRAINS: Readonly<Record<Source["per"], Grain>> = {
  counters: undefined,
  snapshot: undefined,
  snapshot_by: undefined,
  target: undefined,
  namespace: undefined,
  state: undefined,
  worker: "each",
  channel: "each",
  rank: "each",
  estimate: "each",
  endpoint: "each",
  hit_rate: "each",
  workers: "all",
  workers_by: "all",
};

/** Whether a page with these worker labels has the family. */
export function isShown({ source }: Family, workerLabels: WorkerLabels): boolean {
  return GRAINS[source.per] !== (workerLabels === "full" ? "all" : "each");
}

/** Whether the family takes a look at every worker, and so the more time the more there are. */
export function isOfWorkers({ source }: Family): boolean {
  return GRAINS[source.per] !== undefined;
}

/** The original's short label names, or ours, which leave the short ones to Kubernetes' tools. */
export type Naming = "original" | "dynamo";

/** What all names begin with that are not the original's or every process's. */
export const PREFIX = "dynamo_metrics_";

export const NAMESPACE = "dynamo_namespace";
export const ENDPOINT = "dynamo_endpoint";

const TARGET_LABELS = {
  original: ["component", "endpoint"],
  dynamo: [NAMESPACE, "dynamo_component", ENDPOINT],
} as const;

/** The label names of what is counted by target. */
export const TARGET: readonly string[] = TARGET_LABELS.dynamo;

/** The label names of a family's samples, in order. */
export function familyLabels({ source }: Family): readonly string[] {
  switch (source.per) {
    case "counters":
      return source.labels;
    case "snapshot":
      return [];
    case "snapshot_by":
      return source.labels;
    case "target":
      return TARGET_LABELS[source.naming];
    case "namespace":
      return [NAMESPACE];
    case "state":
      return [...TARGET, "state"];
    case "worker":
      return [...TARGET_LABELS[source.naming], "worker_id", ...(source.more?.names ?? [])];
    case "channel":
      return [...TARGET, "worker_id", "channel"];
    case "rank":
      return [...TARGET, "worker_id", "dp_rank"];
    case "estimate":
      return [...TARGET, "worker_id", "dp_rank", "router"];
    case "endpoint":
      return [...TARGET, "worker_id"];
    case "hit_rate":
      return [...TARGET_LABELS.original, "worker_id"];
    case "workers":
      return TARGET;
    case "workers_by":
      return source.label === ENDPOINT ? TARGET : [...TARGET, source.label];
  }
}

/** The labels that name a target. */
export function targetLabels({ namespace, component, endpoint }: Target, naming: Naming): Label[] {
  const values = naming === "original" ? [component, endpoint] : [namespace, component, endpoint];
  return TARGET_LABELS[naming].map((name, n) => [name, values[n]!]);
}

/**
 * The same for one of several targets. The original's labels leave the namespace out; they have it if another target would
 * have the same ones.
 */
export function labelsAmong(
  targets: readonly Pick<TargetSnapshot, "target">[],
  target: Target,
  naming: Naming,
): Label[] {
  const labels = targetLabels(target, naming);
  const { namespace, component, endpoint } = target;
  const isAmbiguous = naming === "original" &&
    targets.some(({ target: other }) =>
      other.namespace !== namespace && other.component === component && other.endpoint === endpoint
    );
  return isAmbiguous ? [...labels, [NAMESPACE, namespace]] : labels;
}

/** The labels that name a namespace. */
export function namespaceLabels({ namespace }: Pick<Target, "namespace">): Label[] {
  return [[NAMESPACE, namespace]];
}
