import type { Step, TargetView } from "./fleet_view.ts";
import { workerHref } from "./route.ts";
import { Shape, StateMark } from "./marks.tsx";
import { shortId, timeText } from "./text.ts";

const SHOWN = 4;

/** The newest steps of workers from state to state, as long as this page has been looking. */
export function Changes({ target }: { target: TargetView }) {
  const newest = target.steps.slice(-SHOWN).reverse();
  return (
    <article class="card" aria-label="Changes">
      <h2>Changes since this page was opened</h2>
      {newest.length === 0 ? <p class="empty">None.</p> : (
        <ol class="changes">
          {newest.map((step) => <Change key={`${step.atMs}/${step.id}/${step.to}`} step={step} />)}
        </ol>
      )}
    </article>
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
