import type { Step, TargetView } from "./fleet_view.ts";
import { workerHref } from "./route.ts";
import { Shape, StateMark } from "./marks.tsx";
import type { Outage } from "./model.ts";
import { durationText, shortId, timeText } from "./text.ts";

const SHOWN = 4;

/** The newest steps of workers from state to state, and losses of the server, as long as this page has been looking. */
export function Changes({ target, outages }: { target: TargetView; outages: readonly Outage[] }) {
  const newest = [...target.steps.slice(-SHOWN), ...outages.slice(-SHOWN)]
    .sort((a, b) => a.atMs - b.atMs).slice(-SHOWN).reverse();
  return (
    <article class="card" aria-label="Changes">
      <h2>Changes since this page was opened</h2>
      {newest.length === 0 ? <p class="empty">None.</p> : (
        <ol class="changes">
          {newest.map((change) =>
            "seconds" in change
              ? <Lost key={`${change.atMs}/server`} outage={change} />
              : <Change key={`${change.atMs}/${change.id}/${change.to}`} step={change} />
          )}
        </ol>
      )}
    </article>
  );
}

function Lost({ outage: { atMs, seconds } }: { outage: Outage }) {
  return (
    <li>
      <time dateTime={new Date(atMs).toISOString()}>{timeText(atMs)}</time>
      <span>server</span>
      <span class="state state-gone">
        <Shape of="gone" />
        <span class="word">lost</span>
      </span>
      <span class="aside">for {durationText(seconds)}</span>
    </li>
  );
}

function Change({ step: { atMs, id, from, to } }: { step: Step }) {
  return (
    <li>
      <time dateTime={new Date(atMs).toISOString()}>{timeText(atMs)}</time>
      <a href={workerHref(id)} title={id}>{shortId(id)}</a>
      {to === undefined
        ? (
          <span class="state state-gone">
            <Shape of="gone" />
            <span class="word">gone</span>
          </span>
        )
        : <StateMark state={to} />}
      {from === undefined && <span class="aside">new</span>}
    </li>
  );
}
