import type { Row, TargetView } from "../lib/view/fleet_view.ts";
import type { Model } from "./model.ts";
import { kvRatio } from "../lib/view/worker_ratios.ts";
import { Shape, Waiting } from "./marks.tsx";
import { workerHref } from "./route.ts";
import { agoText, counted, percentText } from "./text.ts";
import { aboutWorker, type Trouble, verdictOf } from "../lib/view/verdict.ts";
import { lossAgo } from "../lib/view/change_notes.ts";
import type { Finding } from "../lib/exposition/api_v1.ts";
import { waitingWeight } from "../lib/view/waiting.ts";
import { shortId } from "../lib/view/printable.ts";

/** How many workers are named of each kind. */
const NAMED = 3;

/** How many kinds of trouble are shown at once; the rest, and what is only good to know, when it is asked for. */
const SHOWN = 3;

/** Whether all is well in one line, who needs a look, and who has most to do. */
export function VerdictLine({ model, target }: { model: Model; target: TargetView }) {
  const { tone, line, troubles } = verdictOf(model.fleet.head, target.head);
  const { losses } = target.head;
  const isLost = model.lostAtMs !== undefined;
  const rows = [...target.rows.values()];
  const busiest = mostOf(rows, ({ worker }) => kvRatio(worker));
  const waiting = target.aggregate.requests_waiting;
  const queued = waiting ? mostOf(rows, ({ worker }) => worker.requests_waiting) : undefined;
  const shown = troubles.filter(({ severity }) => severity !== "info").slice(0, SHOWN);
  const others = troubles.filter((trouble) => !shown.includes(trouble));
  const itemOf = (trouble: Trouble) => (
    <Told key={trouble.code} trouble={trouble} isSaid={line.startsWith(trouble.line)} nowMs={model.nowMs} />
  );
  return (
    <section class={`verdict ${isLost ? "old" : tone}`} aria-label="Verdict">
      <p class="line" role="status">
        <Shape of={isLost ? "discovered" : tone === "good" ? "good" : "bad"} />
        <strong>
          {isLost && <span aria-live="off">{`${pastText(model)}: `}</span>}
          {line}
          {losses && troubles.some(({ code, line: said }) => code === "worker_lost" && said === line) && (
            <span aria-live="off">{lossAgo(losses, model.nowMs)}</span>
          )}
        </strong>
      </p>
      {shown.length > 0 && <ul class="troubles">{shown.map(itemOf)}</ul>}
      {others.length > 0 && (
        <details class="troubles">
          <summary>{counted(others.length, shown.length > 0 ? "more finding" : "finding")}</summary>
          <ul>{others.map(itemOf)}</ul>
        </details>
      )}
      {queued !== undefined && (
        <p class="hint">
          Waiting: {counted(waiting!, "request")}, most at <WorkerLink id={queued.worker.id} />{" "}
          (<Waiting count={queued.worker.requests_waiting} weight={weightOf(queued)} />)
        </p>
      )}
      {busiest !== undefined && (
        <p class="hint busiest">
          Most loaded: <WorkerLink id={busiest.worker.id} />
          {`, ${percentText(kvRatio(busiest.worker))} of its KV blocks`}
        </p>
      )}
    </section>
  );
}

/** What is the matter, unless the verdict said it, with whom, and what to do. */
function Told({ trouble, isSaid, nowMs }: { trouble: Trouble; isSaid: boolean; nowMs: number }) {
  const { code, severity, line, count, findings, hint } = trouble;
  const named = findings.filter(({ worker }) => worker !== undefined).slice(0, NAMED);
  return (
    <li>
      <code class={severity}>{code}</code> {!isSaid && `${line}. `}
      {named.map((finding, n) => (
        <span key={`${finding.worker} ${finding.text}`}>
          {n > 0 && "; "}
          <WorkerLink id={finding.worker!} /> {aboutWorker(finding)}
          {sinceText(finding, nowMs)}
        </span>
      ))}
      {named.length > 0 && (count > named.length ? ` and ${count - named.length} more. ` : ". ")}
      <span class="hint">{hint}</span>
    </li>
  );
}

function sinceText({ code, since }: Finding, nowMs: number): string {
  if (since === undefined || code !== "worker_silent") return "";
  return `, last seen ${agoText((nowMs - Date.parse(since)) / 1_000)}`;
}

function weightOf({ worker: { requests_waiting, slots_total } }: Row) {
  return waitingWeight(requests_waiting, slots_total);
}

function WorkerLink({ id }: { id: string }) {
  return <a href={workerHref(id)} title={id}>{shortId(id)}</a>;
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
