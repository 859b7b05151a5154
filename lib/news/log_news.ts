import type { Snapshot } from "../fleet/snapshot.ts";
import { logNewsOfFindings } from "./finding_news.ts";
import { logPresence } from "./presence_news.ts";
import { logNewsOfRanks } from "./rank_news.ts";
import { logNewsOfWorkers } from "./worker_news.ts";

/** Whatever gives notice of each new Snapshot. */
export interface Snapshots {
  subscribe(listener: (snapshot: Snapshot) => void): Disposable;
}

/** Logs what changes from one Snapshot to the next, until the result is disposed of. A line names the finding it is about. */
export function logNews(snapshots: Snapshots): Disposable {
  const ends = new DisposableStack();
  ends.use(logPresence(snapshots));
  ends.use(logNewsOfWorkers(snapshots));
  ends.use(logNewsOfRanks(snapshots));
  ends.use(logNewsOfFindings(snapshots));
  return ends;
}
