import { type Snapshot, type TargetSnapshot } from "../fleet/snapshot.ts";
import { WORKER_STATES } from "../fleet/worker_snapshot.ts";
import { byComponent } from "./components.ts";
import { ENDPOINT, type Family, labelsAmong, namespaceLabels, targetLabels } from "./family.ts";
import { type Label, labelsText } from "./labels.ts";
import { numberText } from "./number.ts";
import { workersSum, workersSums } from "./sums.ts";
import { endpointPieces, workerPieces } from "./worker_samples.ts";

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

/**
 * A family's samples, one line each, in pieces of whole lines; a piece may be empty. They are the same in every format, so
 * that a series has one name whichever is asked for.
 */
export function* samplePieces(family: Family, { snapshot, counted }: Origin): Generator<string> {
  const { name, source } = family;
  switch (source.per) {
    case "counters":
      for (const { metricName = name, labels, value } of counted) {
        yield sampleText(metricName, Object.entries(labels).map(countedLabel), value);
      }
      return;
    case "snapshot":
      yield sampleText(name, [], source.value(snapshot));
      return;
    case "snapshot_by": {
      const lines: string[] = [];
      source.visit(snapshot, (values, value) => {
        lines.push(sampleText(name, source.labels.map((label, n) => [label, values[n]!]), value));
      });
      yield lines.join("");
      return;
    }
    case "namespace":
      for (const namespace of snapshot.namespaces) {
        yield sampleText(name, namespaceLabels(namespace), source.value(namespace.hitRateTotals));
      }
      return;
    case "endpoint":
      for (const component of byComponent(snapshot.targets)) yield* endpointPieces(name, source, component);
      return;
    case "workers_by": {
      const isOfEndpoints = source.label === ENDPOINT;
      for (const shown of isOfEndpoints ? byComponent(snapshot.targets) : snapshot.targets) {
        for (const [key, sum] of workersSums(source, shown.workers)) {
          const labels = isOfEndpoints
            ? targetLabels({ ...shown.target, endpoint: key }, "dynamo")
            : [...targetLabels(shown.target, "dynamo"), [source.label, key] as const];
          yield sampleText(name, labels, sum);
        }
      }
      return;
    }
  }
  for (const target of snapshot.targets) yield* targetPieces(family, target, snapshot.targets);
}

function* targetPieces(
  family: Family,
  shown: TargetSnapshot,
  all: readonly TargetSnapshot[],
): Generator<string> {
  const { name, source } = family;
  const { target } = shown;
  switch (source.per) {
    case "target":
      yield sampleText(name, labelsAmong(all, target, source.naming), source.value(shown));
      return;
    case "state":
      for (const state of WORKER_STATES) {
        const labels: Label[] = [...targetLabels(target, "dynamo"), ["state", state]];
        yield sampleText(name, labels, source.value(shown, state));
      }
      return;
    case "workers":
      yield sampleText(name, targetLabels(target, "dynamo"), workersSum(source, shown.workers));
      return;
    default:
      yield* workerPieces(family, shown, all);
  }
}

function sampleText(name: string, labels: readonly Label[], value: number | undefined): string {
  if (value === undefined) return "";
  return labels.length === 0
    ? `${name} ${numberText(value)}\n`
    : `${name}{${labelsText(labels)}} ${numberText(value)}\n`;
}

/** The bound of a histogram's bucket as OpenMetrics has it, 1.0 for 1: another text would be another series. */
function countedLabel([name, value]: [string, string | number | undefined]): Label {
  const text = String(value);
  return [name, name === "le" && /^\d+$/.test(text) ? `${text}.0` : text];
}
