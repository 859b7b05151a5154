import type { Row, TargetView } from "../lib/view/fleet_view.ts";
import type { Model } from "./model.ts";
import { kvRatio } from "../lib/view/worker_ratios.ts";
import { Shape, Waiting } from "./marks.tsx";
import { workerHref } from "./route.ts";
import { agoText, counted, percentText } from "./text.ts";
import { verdictOf } from "./verdict.ts";
import type { Losses, Worker } from "../lib/exposition/api_v1.ts";
import { lossAgo } from "../lib/view/change_notes.ts";
import { shortId } from "../lib/view/printable.ts";
import {
  partialNote,
  partialWorkersNote,
  silentRanks,
  silentRanksNote,
  stuckNote,
} from "../lib/view/worker_notes.ts";

/** How many workers are named of each kind. */
const NAMED = 3;

/** Whether all is well in one line, who needs a look, and who has most to do. */
export function VerdictLine({ model, target }: { model: Model; target: TargetView }) {
  const { tone, line, hint, stuck: theStuckOne, losses } = verdictOf(model.fleet, target);
  const isLost = model.lostAtMs !== undefined;
  const rows = [...target.rows.values()];
  // Without NATS there is nothing to be said of single ones.
  const silent = model.fleet.missesNats(target) ? [] : rows.filter(({ worker }) => worker.state === "silent");
  const { workers_stuck, workers_partial, ranks_silent } = target.aggregate;
  const those = (count: number | undefined, which: (worker: Worker) => boolean) =>
    count ? rows.filter(({ worker }) => which(worker)) : [];
  const busiest = mostOf(rows, ({ worker }) => kvRatio(worker));
  const waiting = target.aggregate.requests_waiting;
  const queued = waiting ? mostOf(rows, ({ worker }) => worker.requests_waiting) : undefined;
  return (
    <section class={`verdict ${isLost ? "old" : tone}`} aria-label="Verdict">
      <p class="line" role="status">
        <Shape of={isLost ? "discovered" : tone === "good" ? "good" : "bad"} />
        <strong>
          {isLost && <span aria-live="off">{`${pastText(model)}: `}</span>}
          {line}
          {theStuckOne && <span aria-live="off">: {stuckNote(theStuckOne, model.nowMs)}</span>}
          {losses && <span aria-live="off">{lossAgo(losses, model.nowMs)}</span>}
        </strong>
      </p>
      {hint !== undefined && <p class="hint">{hint}</p>}
      <Named
        title="Silent"
        rows={silent}
        text={({ seenMs }) =>
          seenMs === undefined ? undefined : `last seen ${agoText((model.nowMs - seenMs) / 1_000)}`}
      />
      {target.losses && <Lost losses={target.losses} isSaid={losses !== undefined} nowMs={model.nowMs} />}
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
      {queued !== undefined && (
        <p class="hint">
          Waiting: {counted(waiting!, "request")}, most at{" "}
          <a href={workerHref(queued.worker.id)} title={queued.worker.id}>{shortId(queued.worker.id)}</a>{" "}
          (<Waiting count={queued.worker.requests_waiting} slots={queued.worker.slots_total} />)
        </p>
      )}
      {busiest !== undefined && (
        <p class="hint busiest">
          Most loaded:{" "}
          <a href={workerHref(busiest.worker.id)} title={busiest.worker.id}>{shortId(busiest.worker.id)}</a>
          {`, ${percentText(kvRatio(busiest.worker))} of its KV blocks`}
        </p>
      )}
    </section>
  );
}

/** Who was lost lately, by name; how long ago unless the verdict says it. */
function Lost({ losses, isSaid, nowMs }: { losses: Losses; isSaid: boolean; nowMs: number }) {
  const named = losses.ids.slice(0, NAMED);
  return (
    <p class="hint">
      Lost: {named.map((id, n) => (
        <span key={id}>
          {n > 0 && "; "}
          <a href={workerHref(id)} title={id}>{shortId(id)}</a>
        </span>
      ))}
      {losses.workers > named.length && ` and ${losses.workers - named.length} more`}
      {!isSaid &&
        `, ${losses.workers === 1 ? "" : "the last "}${agoText((nowMs - Date.parse(losses.at)) / 1_000)}`}
    </p>
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

/** The row with the most of something; undefined if none has any. */
function mostOf(rows: readonly Row[], of: (row: Row) => number | undefined): Row | undefined {
  let best: Row | undefined;
  let most = -1;
  for (const row of rows) {
    const value = of(row) ?? -1;
    if (value > most) [best, most] = [row, value];
  }
  return best;
}

/** How old what is shown is by now: the server's clock stands while it is lost. */
function pastText({ nowMs, fleet, lostAtMs }: Model): string {
  const seconds = (nowMs - fleet.atMs + performance.now() - lostAtMs!) / 1_000;
  return seconds < 1 ? "A moment ago" : agoText(seconds);
}
