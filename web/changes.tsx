import type { TargetView } from "../lib/view/fleet_view.ts";
import { workerHref } from "./route.ts";
import { Shape } from "./marks.tsx";
import type { Outage } from "./model.ts";
import { durationText, timeText } from "./text.ts";
import type { WorkerChange } from "../lib/exposition/api_v1.ts";
import { changeReason, changeWord } from "../lib/view/change_notes.ts";
import { shortId } from "../lib/view/printable.ts";

/** So many are shown at once; the others when they are asked for. */
const SHOWN = 4;

/** What became of workers, as the server remembers it, and when this page lost the server; the newest first. */
export function Changes({ target, outages }: { target: TargetView; outages: readonly Outage[] }) {
  const changes = target.changes.map((change) => ({ atMs: Date.parse(change.at), change }));
  const all = [...changes, ...outages].sort((a, b) => a.atMs - b.atMs).reverse();
  const itemOf = (one: typeof all[number]) =>
    "change" in one
      ? <Change key={`${one.atMs}/${one.change.id}/${one.change.kind}`} change={one.change} />
      : <Lost key={`${one.atMs}/server`} outage={one} />;
  const since = target.head.changes_since;
  return (
    <article class="card" aria-label="Changes">
      <h2>Changes{since !== undefined && ` since ${timeText(Date.parse(since))}`}</h2>
      {all.length === 0 ? <p class="empty">None.</p> : (
        <ol class="changes">
          {all.slice(0, SHOWN).map(itemOf)}
        </ol>
      )}
      {all.length > SHOWN && (
        <details class="earlier">
          <summary>{all.length - SHOWN} earlier</summary>
          <ol class="changes">{all.slice(SHOWN).map(itemOf)}</ol>
        </details>
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

/** How each looks: as the states do. */
const LOOKS = {
  new: ["state-discovered", "discovered"],
  silent: ["state-silent", "silent"],
  back: ["state-responding", "responding"],
  restarted: ["state-no_data", "undecodable"],
  lost: ["state-silent", "gone"],
  left: ["state-gone", "gone"],
  gone: ["state-gone", "gone"],
} as const;

function Change({ change }: { change: WorkerChange }) {
  const { at, id } = change;
  const word = changeWord(change);
  const reason = changeReason(change);
  const [look, shape] = LOOKS[word];
  return (
    <li>
      <time dateTime={at}>{timeText(Date.parse(at))}</time>
      <a href={workerHref(id)} title={id}>{shortId(id)}</a>
      <span class={`state ${look}`}>
        <Shape of={shape} />
        <span class="word">{word}</span>
      </span>
      <span class="aside" title={reason}>{reason}</span>
    </li>
  );
}
