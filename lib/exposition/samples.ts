import type { HitRateSum } from "../fleet/hit_rates.ts";
import type { Snapshot, TargetSnapshot } from "../fleet/snapshot.ts";
import { WORKER_STATES } from "../fleet/worker_snapshot.ts";
import { byComponent } from "./components.ts";
import { distinctEndpoints } from "./endpoints.ts";
import { ENDPOINT, type Family, labelsAmong, namespaceLabels, type Source, targetLabels } from "./family.ts";
import type { Label } from "./labels.ts";
import type { Samples } from "./sample.ts";
import { workersSum, workersSums } from "./sums.ts";

/** A family that the program counts itself: plain values, as its registry gives them. */
export interface CountedFamily {
  readonly name: string;
  readonly values: readonly CountedValue[];
}

/** `metricName` where a histogram's sample has one of its own. */
export interface CountedValue {
  readonly metricName?: string;
  readonly labels: Readonly<Partial<Record<string, string | number>>>;
  readonly value: number;
}

/** Where a family's samples are. */
interface Origin {
  readonly snapshot: Snapshot;
  readonly counted: readonly CountedValue[];
}

/** A family's samples in batches, of which one may be empty: those of a large fleet are made piece by piece. */
export function* samplesOf(family: Family, { snapshot, counted }: Origin): Generator<Samples> {
  const { name, source } = family;
  const { targets } = snapshot;
  switch (source.per) {
    case "counters":
      for (const { metricName, labels, value } of counted) {
        yield one(metricName ?? name, Object.entries(labels).map(countedLabel), value);
      }
      return;
    case "snapshot":
      return yield one(name, [], source.value(snapshot));
    case "snapshot_by": {
      const batch = new Batch({ name, names: source.labels });
      source.visit(snapshot, (labels, value) => batch.add(value, labels));
      return yield batch;
    }
    case "namespace":
      for (const namespace of snapshot.namespaces) {
        yield one(name, namespaceLabels(namespace), source.value(namespace.hitRateTotals));
      }
      return;
    case "endpoint":
      for (const component of byComponent(targets)) yield* ofEndpoints(name, source, component);
      return;
    case "workers_by": {
      const isOfEndpoints = source.label === ENDPOINT;
      for (const { target, workers } of isOfEndpoints ? byComponent(targets) : targets) {
        const labels = targetLabels(target, "dynamo");
        const shared = isOfEndpoints ? labels.slice(0, -1) : labels;
        const batch = new Batch({ name, shared, names: [source.label] });
        for (const [key, sum] of workersSums(source, workers)) batch.add(sum, [key]);
        yield batch;
      }
      return;
    }
  }
  for (const target of targets) yield* ofTarget(family, target, targets);
}

function* ofTarget(
  { name, source }: Family,
  shown: TargetSnapshot,
  all: readonly TargetSnapshot[],
): Generator<Samples> {
  const { target, workers } = shown;
  const series = { name, shared: targetLabels(target, "dynamo") };
  switch (source.per) {
    case "target":
      return yield one(name, labelsAmong(all, target, source.naming), source.value(shown));
    case "state": {
      const batch = new Batch({ ...series, names: ["state"] });
      for (const state of WORKER_STATES) batch.add(source.value(shown, state), [state]);
      return yield batch;
    }
    case "workers":
      return yield one(name, series.shared, workersSum(source, workers));
    case "worker": {
      const { value, more } = source;
      const shared = labelsAmong(all, target, source.naming);
      const table = { name, shared, names: [WORKER, ...more?.names ?? []] };
      return yield* inBatches(workers, table, (worker, batch) => {
        if (more === undefined) batch.add(value(worker), [worker.id]);
        else batch.add(value(worker), [worker.id, ...more.labels(worker)]);
      });
    }
    case "channel":
      return yield* inBatches(
        workers,
        { ...series, names: [WORKER, "channel"] },
        ({ id, channels }, batch) => {
          for (const channel of channels) batch.add(1, [id, channel]);
        },
      );
    case "rank":
      return yield* inBatches(workers, { ...series, names: [WORKER, "dp_rank"] }, ({ id, ranks }, batch) => {
        for (const rank of ranks) batch.add(source.value(rank), [id, String(rank.dpRank)]);
      });
    case "estimate": {
      const table = { ...series, names: [WORKER, "dp_rank", "router"] };
      return yield* inBatches(workers, table, ({ id, estimates }, batch) => {
        for (const estimate of estimates) {
          batch.add(source.value(estimate), [id, String(estimate.dpRank), estimate.router]);
        }
      });
    }
    case "hit_rate": {
      const table = { name, shared: labelsAmong(all, target, "original"), names: [WORKER] };
      return yield* inBatches(hitRatesOf(shown, all), table, (sums, batch) => {
        batch.add(source.value(sums), [sums.worker]);
      });
    }
  }
}

/** The hit rates of the target's workers, and at the first target of a namespace those of workers that nobody knows. */
function hitRatesOf(shown: TargetSnapshot, all: readonly TargetSnapshot[]): readonly HitRateSum[] {
  const { namespace } = shown;
  if (all.length === 1) return namespace.hitRates;
  const idsOf = ({ workers }: TargetSnapshot) => new Set(workers.map(({ id }) => id));
  const own = idsOf(shown);
  const neighbours = all.filter(({ target }) => target.namespace === namespace.namespace);
  const known = neighbours[0] === shown ? neighbours.map(idsOf) : undefined;
  return namespace.hitRates.filter(({ worker }) =>
    own.has(worker) || known?.every((ids) => !ids.has(worker)) === true
  );
}

/** Those of each endpoint of each worker of a component. */
function* ofEndpoints(
  name: string,
  { value }: Extract<Source, { per: "endpoint" }>,
  { target, workers }: Pick<TargetSnapshot, "target" | "workers">,
): Generator<Samples> {
  const shared = targetLabels(target, "dynamo").slice(0, -1);
  yield* inBatches(workers, { name, shared, names: [ENDPOINT, WORKER] }, ({ id, endpoints }, batch) => {
    for (const counters of distinctEndpoints(endpoints)) batch.add(value(counters), [counters.endpoint, id]);
  });
}

const WORKER = "worker_id";

/** Samples in the making. */
class Batch implements Samples {
  readonly name: string;
  readonly shared: readonly Label[];
  readonly names: readonly string[];
  readonly labels: (string | undefined)[] = [];
  readonly values: number[] = [];

  constructor({ name, shared = [], names = [] }: Table) {
    this.name = name;
    this.shared = shared;
    this.names = names;
  }

  /** Nothing if the value is not known. */
  add(value: number | undefined, labels: readonly (string | undefined)[]): void {
    if (value === undefined) return;
    this.values.push(value);
    for (const label of labels) this.labels.push(label);
  }
}

type Table = Pick<Samples, "name"> & Partial<Pick<Samples, "shared" | "names">>;

/** About as many lines of text as stay in the processor's cache until they are bytes. */
const BATCH = 256;

function* inBatches<Item>(
  items: readonly Item[],
  table: Table,
  visit: (item: Item, batch: Batch) => void,
): Generator<Samples> {
  let batch = new Batch(table);
  for (const item of items) {
    visit(item, batch);
    if (batch.values.length < BATCH) continue;
    yield batch;
    batch = new Batch(table);
  }
  yield batch;
}

/** None if the value is not known. */
function one(name: string, shared: readonly Label[], value: number | undefined): Samples {
  const batch = new Batch({ name, shared });
  batch.add(value, []);
  return batch;
}

/** The bound of a histogram's bucket as OpenMetrics has it, 1.0 for 1: another text would be another series. */
function countedLabel([name, value]: [string, string | number | undefined]): Label {
  const text = String(value);
  return [name, name === "le" && /^\d+$/.test(text) ? `${text}.0` : text];
}
