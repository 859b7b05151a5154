import type { Row, TargetView } from "./fleet_view.ts";
import type { Model } from "./model.ts";
import { kvRatio } from "./order.ts";
import { Shape } from "./marks.tsx";
import { workerHref } from "./route.ts";
import { agoText, percentText, shortId } from "./text.ts";
import { verdictOf } from "./verdict.ts";

/** How many silent workers are named. */
const NAMED = 3;

/** Whether all is well in one line, who is silent, and who has most to do. */
export function VerdictLine({ model, target }: { model: Model; target: TargetView }) {
  const { tone, line, hint } = verdictOf(model.fleet, target);
  const rows = [...target.rows.values()];
  // Without NATS there is nothing to be said of single ones.
  const silent = model.fleet.missesNats(target) ? [] : rows.filter(({ worker }) => worker.state === "silent");
  const busiest = busiestOf(rows);
  return (
    <section class={`verdict ${tone}`} aria-label="Verdict">
      <p class="line" role="status">
        <Shape of={tone === "good" ? "good" : "bad"} />
        <strong>{line}</strong>
      </p>
      {hint !== undefined && <p class="hint">{hint}</p>}
      {silent.length > 0 && (
        <p class="hint">
          Silent: {silent.slice(0, NAMED).map(({ worker: { id }, seenMs }, n) => (
            <span key={id}>
              {n > 0 && "; "}
              <a href={workerHref(id)} title={id}>{shortId(id)}</a>
              {seenMs !== undefined && `, last seen ${agoText((model.nowMs - seenMs) / 1_000)}`}
            </span>
          ))}
          {silent.length > NAMED && ` and ${silent.length - NAMED} more`}
        </p>
      )}
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

function busiestOf(rows: readonly Row[]): Row | undefined {
  let busiest: Row | undefined;
  let most = -1;
  for (const row of rows) {
    const share = kvRatio(row.worker) ?? -1;
    if (share > most) [busiest, most] = [row, share];
  }
  return busiest;
}
