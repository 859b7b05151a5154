import type { Row, TargetView } from "./fleet_view.ts";
import type { Model } from "./model.ts";
import { kvRatio } from "../lib/exposition/worker_ratios.ts";
import { Shape } from "./marks.tsx";
import { workerHref } from "./route.ts";
import { agoText, percentText, shortId } from "./text.ts";
import { verdictOf } from "./verdict.ts";
import type { Worker } from "../lib/exposition/api_v1.ts";
import {
  partialNote,
  partialWorkersNote,
  silentRanks,
  silentRanksNote,
  stuckNote,
} from "../lib/exposition/worker_notes.ts";

/** How many workers are named of each kind. */
const NAMED = 3;

/** Whether all is well in one line, who needs a look, and who has most to do. */
export function VerdictLine({ model, target }: { model: Model; target: TargetView }) {
  const { tone, line, hint, stuck: theStuckOne } = verdictOf(model.fleet, target);
  const rows = [...target.rows.values()];
  // Without NATS there is nothing to be said of single ones.
  const silent = model.fleet.missesNats(target) ? [] : rows.filter(({ worker }) => worker.state === "silent");
  const { workers_stuck, workers_partial, ranks_silent } = target.aggregate;
  const those = (count: number | undefined, which: (worker: Worker) => boolean) =>
    count ? rows.filter(({ worker }) => which(worker)) : [];
  const busiest = busiestOf(rows);
  return (
    <section class={`verdict ${tone}`} aria-label="Verdict">
      <p class="line" role="status">
        <Shape of={tone === "good" ? "good" : "bad"} />
        <strong>
          {line}
          {theStuckOne && <span aria-live="off">: {stuckNote(theStuckOne, model.nowMs)}</span>}
        </strong>
      </p>
      {hint !== undefined && <p class="hint">{hint}</p>}
      <Named
        title="Silent"
        rows={silent}
        text={({ seenMs }) =>
          seenMs === undefined ? undefined : `last seen ${agoText((model.nowMs - seenMs) / 1_000)}`}
      />
      <Named
        title="Stuck"
        rows={those(workers_stuck, ({ stuck_since }) => stuck_since !== undefined)}
        text={({ worker }) => worker === theStuckOne ? undefined : stuckNote(worker, model.nowMs)}
      />
      <Named
        title="Silent ranks"
        rows={those(ranks_silent, (worker) => silentRanks(worker).length > 0)}
        text={({ worker }) => silentRanksNote(worker)}
      />
      <Named
        title={partialWorkersNote(workers_partial) ?? ""}
        rows={those(workers_partial, (worker) => partialNote(worker) !== undefined)}
        text={({ worker }) => partialNote(worker)}
      />
      {busiest !== undefined && (
        <p class="hint busiest">
          Most loaded:{" "}
          <a href={workerHref(busiest.worker.id)} title={busiest.worker.id}>{shortId(busiest.worker.id)}</a>
          {" "}
          {percentText(kvRatio(busiest.worker))} of its KV blocks
        </p>
      )}
    </section>
  );
}

/** Some of the workers by name, each with what is to be said of it. */
function Named(
  { title, rows, text }: {
    title: string;
    rows: readonly Row[];
    text: (row: Row) => string | undefined;
  },
) {
  if (rows.length === 0) return null;
  return (
    <p class="hint">
      {title}: {rows.slice(0, NAMED).map((row, n) => {
        const { worker: { id } } = row;
        const said = text(row);
        return (
          <span key={id}>
            {n > 0 && "; "}
            <a href={workerHref(id)} title={id}>{shortId(id)}</a>
            {said !== undefined && `, ${said}`}
          </span>
        );
      })}
      {rows.length > NAMED && ` and ${rows.length - NAMED} more`}
    </p>
  );
}

function busiestOf(rows: readonly Row[]): Row | undefined {
  let busiest: Row | undefined;
  let most = -1;
  for (const row of rows) {
    const share = kvRatio(row.worker) ?? -1;
    if (share > most) [busiest, most] = [row, share];
  }
  return busiest;
}
