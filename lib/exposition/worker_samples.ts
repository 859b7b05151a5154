import type { HitRateSum } from "../fleet/hit_rates.ts";
import type { TargetSnapshot } from "../fleet/snapshot.ts";
import { distinctEndpoints } from "./endpoints.ts";
import { type Family, labelsAmong, type Source, targetLabels } from "./family.ts";
import { type Label, labelsText } from "./labels.ts";
import { numberText } from "./number.ts";

/**
 * The samples of a family that has some for each worker: what takes the time of a large page. What stands before the
 * worker's id is made once for a family, and the rest of a line is a few joins.
 */
export function* workerPieces(
  { name, source }: Family,
  shown: TargetSnapshot,
  all: readonly TargetSnapshot[],
): Generator<string> {
  const { target, workers } = shown;
  switch (source.per) {
    case "worker": {
      const { value, more } = source;
      const beginning = beginningOf(name, labelsAmong(all, target, source.naming));
      yield* inPieces(workers, (worker) => {
        const labels = more === undefined ? "" : labelsText(more.labels(worker));
        return line(beginning, worker.id, labels, value(worker));
      });
      return;
    }
    case "channel": {
      const beginning = beginningOf(name, targetLabels(target, "dynamo"));
      yield* inPieces(workers, ({ id, channels }) => {
        let text = "";
        for (const channel of channels) text += line(beginning, id, `channel="${channel}"`, 1);
        return text;
      });
      return;
    }
    case "rank": {
      const beginning = beginningOf(name, targetLabels(target, "dynamo"));
      yield* inPieces(workers, ({ id, ranks }) => {
        let text = "";
        for (const rank of ranks) text += line(beginning, id, `dp_rank="${rank.dpRank}"`, source.value(rank));
        return text;
      });
      return;
    }
    case "estimate": {
      const beginning = beginningOf(name, targetLabels(target, "dynamo"));
      yield* inPieces(workers, ({ id, estimates }) => {
        let text = "";
        for (const estimate of estimates) {
          const labels = `dp_rank="${estimate.dpRank}",router="${estimate.router}"`;
          text += line(beginning, id, labels, source.value(estimate));
        }
        return text;
      });
      return;
    }
    case "hit_rate": {
      const beginning = beginningOf(name, labelsAmong(all, target, "original"));
      yield* inPieces(
        hitRatesOf(shown, all),
        (sums) => line(beginning, sums.worker, "", source.value(sums)),
      );
      return;
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

/** The samples of a family that has some for each endpoint of each worker of a component. */
export function* endpointPieces(
  name: string,
  { value }: Extract<Source, { per: "endpoint" }>,
  { target, workers }: Pick<TargetSnapshot, "target" | "workers">,
): Generator<string> {
  const beginnings = new Map<string, string>();
  yield* inPieces(workers, ({ id, endpoints }) => {
    let text = "";
    for (const counters of distinctEndpoints(endpoints)) {
      const { endpoint } = counters;
      const beginning = beginnings.getOrInsertComputed(
        endpoint,
        () => beginningOf(name, targetLabels({ ...target, endpoint }, "dynamo")),
      );
      text += line(beginning, id, "", value(counters));
    }
    return text;
  });
}

/** About how long a piece may become, in characters: small enough to stay in the processor's cache until it is bytes. */
const PIECE_LENGTH = 65_536;

function* inPieces<T>(items: readonly T[], textOf: (item: T) => string): Generator<string> {
  let piece = "";
  for (const item of items) {
    piece += textOf(item);
    if (piece.length < PIECE_LENGTH) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}

/** A line's text up to the worker's id. */
function beginningOf(name: string, target: readonly Label[]): string {
  const labels: Label[] = [...target, ["worker_id", ""]];
  return `${name}{${labelsText(labels)}`.slice(0, -1);
}

/** One sample, none when the value is undefined. `labels` are those after the worker's id, as text. */
function line(beginning: string, id: string, labels: string, value: number | undefined): string {
  if (value === undefined) return "";
  return beginning + id + (labels === "" ? '"} ' : `",${labels}} `) + numberText(value) + "\n";
}
