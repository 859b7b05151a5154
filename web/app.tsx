import { Changes } from "./changes.tsx";
import { FleetHead } from "./fleet_head.tsx";
import { pathOf, shownPath, type TargetView } from "../lib/view/fleet_view.ts";
import { Shape } from "./marks.tsx";
import type { Model } from "./model.ts";
import { usePlace } from "./place.ts";
import { ageText, agoText, timeText } from "./text.ts";
import { serversOf } from "../lib/view/connections.ts";
import { printable } from "../lib/view/printable.ts";
import { VerdictLine } from "./verdict_line.tsx";
import { WorkerPage } from "./worker_page.tsx";
import { WorkerTable } from "./worker_table.tsx";

/** The page. It is drawn anew when the model has changed, and once a second. */
export function App({ model }: { model: Model }) {
  const { route, visit, back, from, look } = usePlace();
  const { fleet, target } = model;
  const isLost = model.lostAtMs !== undefined;
  return (
    <div class={isLost ? "page lost" : "page"}>
      <header class="top">
        <a class="name" href="#/">metrics</a>
        <TargetChoice targets={fleet.targets} target={target} choose={(path) => model.choose(path)} />
        <Connections model={model} />
      </header>
      {isLost && <Lost model={model} />}
      {model.newVersion !== undefined && <Updated version={model.newVersion} />}
      <main>
        {target === undefined
          ? (
            <p class="note">
              {model.hasState ? "No target is watched." : isLost ? "" : "Waiting for the first state…"}
            </p>
          )
          : route.page === "worker"
          ? (
            <WorkerPage
              key={visit}
              model={model}
              target={target}
              id={route.id}
              back={back}
              isVisited={visit > 0}
            />
          )
          : (
            <>
              <VerdictLine model={model} target={target} />
              <div class="overview">
                <FleetHead key={pathOf(target.name)} model={model} target={target} />
                <Changes target={target} outages={model.outages} />
              </div>
              <WorkerTable key={visit} model={model} target={target} view={route} look={look} from={from} />
            </>
          )}
      </main>
      <footer>
        <span>Snapshot {fleet.head.seq}</span>
        <a href="metrics">/metrics</a>
        <a href="api/v1/fleet">/api/v1/fleet</a>
        <a href="readyz">/readyz</a>
      </footer>
    </div>
  );
}

function TargetChoice(
  { targets, target, choose }: {
    targets: readonly TargetView[];
    target: TargetView | undefined;
    choose: (path: string) => void;
  },
) {
  if (target === undefined) return <span class="target" />;
  const shown = shownPath(target.name);
  if (targets.length === 1) return <h1 class="target" title={shown}>{shown}</h1>;
  return (
    <h1 class="target">
      <select
        aria-label="Target"
        value={pathOf(target.name)}
        onChange={({ currentTarget }) => choose(currentTarget.value)}
      >
        {targets.map(({ name }) => <option key={pathOf(name)} value={pathOf(name)}>{shownPath(name)}
        </option>)}
      </select>
    </h1>
  );
}

/** From this age on what is shown is called old, by its colour too. */
const OLD_SECONDS = 5;

/** What the program is connected to, and this page to the program. */
function Connections({ model }: { model: Model }) {
  const { atMs } = model.fleet;
  const age = Math.max(0, (model.nowMs - atMs) / 1_000);
  return (
    <ul class="connections" aria-label="Connections">
      {serversOf(model.fleet.head).map(({ name, connected, isMissed, reason }) => {
        const word = connected ? "connected" : isMissed ? "away" : "away, not needed";
        return (
          <Connection key={name} name={name} tone={isMissed ? "bad" : "good"} word={word} why={reason} />
        );
      })}
      {model.lostAtMs !== undefined ? <Connection name="server" tone="bad" word="lost" /> : model.hasState &&
        <Connection name="updated" tone={age < OLD_SECONDS ? "good" : "warn"} word={agoText(age)} />}
    </ul>
  );
}

function Connection({ name, tone, word, why }: {
  name: string;
  tone: "good" | "warn" | "bad";
  word: string;
  why?: string | undefined;
}) {
  return (
    <li class={`connection ${tone}`} title={why && printable(why)}>
      <Shape of={tone === "good" ? "good" : "bad"} />
      <span>{name}</span> <b>{word}</b>
    </li>
  );
}

/** An old page may take a newer program's words wrongly. When it is loaded anew is the reader's choice: its charts begin anew. */
function Updated({ version }: { version: string }) {
  return (
    <p class="notice" role="status">
      metrics was updated, it is now {printable(version)}.{" "}
      <button type="button" onClick={() => location.reload()}>Reload</button>
    </p>
  );
}

function Lost({ model }: { model: Model }) {
  const since = ageText((performance.now() - model.lostAtMs!) / 1_000);
  return (
    <p class="banner" role="alert">
      <Shape of="bad" />
      <span>
        <b>{printable(model.lostWhy)}</b>{" "}
        {model.hasState ? `Showing data from ${timeText(model.fleet.atMs)}.` : "No data received yet."}{" "}
        <span aria-live="off">Retrying{since === "now" ? "" : ` for ${since}`}.</span>
      </span>
    </p>
  );
}
