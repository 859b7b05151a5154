import type { Snapshot } from "../fleet/snapshot.ts";
import { FAMILIES } from "./families.ts";
import { isOfWorkers, isShown, type WorkerLabels } from "./family.ts";
import type { Format } from "./sample.ts";
import { type CountedFamily, samplesOf } from "./samples.ts";

/** What a page is made of. */
export interface PageContent {
  readonly snapshot: Snapshot;
  readonly counted: readonly CountedFamily[];
  readonly workerLabels: WorkerLabels;
}

/**
 * A whole page, in order, in pieces of whole lines: families by name, those without samples left out, one line a sample, no
 * timestamps. A piece is about 64 KiB or one look at all workers, whichever is less work; one may be empty. However long
 * its reader takes between two pieces, all are of one Snapshot.
 */
export function* renderPage(
  format: Format,
  { snapshot, counted, workerLabels }: PageContent,
): Generator<string> {
  const countedByName = new Map(counted.map((family) => [family.name, family.values]));
  let piece = "";
  for (const family of FAMILIES) {
    if (!isShown(family, workerLabels)) continue;
    let header = format.header(family);
    for (const samples of samplesOf(family, { snapshot, counted: countedByName.get(family.name) ?? [] })) {
      if (samples.values.length > 0) {
        piece += header + format.samples(samples);
        header = "";
      }
      if (!isOfWorkers(family)) continue;
      yield piece;
      piece = "";
    }
  }
  yield piece + format.end;
}
