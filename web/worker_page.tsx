import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Chart } from "./chart.tsx";
import { hexOf } from "../lib/view/filter.ts";
import { pathOf, type Row, shownPath, type TargetView } from "../lib/view/fleet_view.ts";
import { Bar, Name, Shape, StateMark, TroubledMark } from "./marks.tsx";
import { type Model, readHistory } from "./model.ts";
import { useScrollPlace } from "./place.ts";
import { kvRatio, slotRatio } from "../lib/view/worker_ratios.ts";
import { Series, workerMoment } from "./series.ts";
import { agoText, durationText, numberText, percentText, UNKNOWN } from "./text.ts";
import type { Rank, Worker } from "../lib/exposition/api_v1.ts";
import { printable } from "../lib/view/printable.ts";
import { waitingWeight } from "../lib/view/waiting.ts";
import { conditionOf, partialNote, workerNotes } from "../lib/view/worker_notes.ts";

/** All that is known of one worker. One that goes while it is looked at stays, and is said to be gone. */
export function WorkerPage(
  { model, target, id, back, isVisited }: {
    model: Model;
    target: TargetView;
    id: string;
    back: string;
    /** The reader came from another page of this one. */
    isVisited: boolean;
  },
) {
  useScrollPlace({ href: () => location.hash, first: () => 0 });
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (isVisited) heading.current?.focus({ preventScroll: true }); // What had the focus is gone.
  }, []);
  const row = target.rows.get(id);
  const last = useRef<Row>(undefined);
  if (row !== undefined) last.current = row;
  const series = useWorkerSeries({ model, target, id });
  const known = row ?? last.current;
  if (known === undefined) {
    return (
      <section class="worker">
        <Back href={back} />
        <p class="note">
          There is no worker <Name of={id} /> at <bdi>{shownPath(target.name)}</bdi>.
        </p>
      </section>
    );
  }
  const { worker, seenMs } = known;
  return (
    <section class={row === undefined ? "worker gone" : "worker"}>
      <Back href={back} />
      <header>
        <h2 ref={heading} tabIndex={-1}>{id}</h2>
        {row === undefined
          ? (
            <span class="state state-gone">
              <Shape of="gone" />
              <span class="word">gone; these were its last numbers</span>
            </span>
          )
          : conditionOf(worker) !== worker.state
          ? <TroubledMark state={worker.state} />
          : <StateMark state={worker.state} />}
      </header>
      {row !== undefined && <Notes worker={worker} nowMs={model.nowMs} />}
      <Facts
        worker={worker}
        seenSeconds={seenMs === undefined ? undefined : (model.nowMs - seenMs) / 1_000}
      />
      <WorkerCharts worker={worker} series={series} now={model.nowMs / 1_000} />
      <Tables worker={worker} />
    </section>
  );
}

/** To the fleet as it was left. */
function Back({ href }: { href: string }) {
  return <a class="back" href={href}>← all workers</a>;
}

function Notes({ worker, nowMs }: { worker: Worker; nowMs: number }) {
  const notes = workerNotes(worker, nowMs);
  if (notes.length === 0) return null;
  return (
    <ul class="notes" aria-label="Notes">
      {notes.map(({ tone, text }, n) => <li key={n} class={tone}>{printable(text)}</li>)}
    </ul>
  );
}

/** The worker's own series: the past is asked for once, the stream goes on. */
function useWorkerSeries({ model, target, id }: { model: Model; target: TargetView; id: string }): Series {
  const series = useMemo(() => new Series(), []);
  useEffect(() => {
    void readHistory(id).then((history) => {
      const past = history?.targets.find((other) => pathOf(other) === pathOf(target.name));
      if (past !== undefined) series.remember(history!, past.series);
    });
  }, []);
  useMemo(() => series.gap(), [model.outages.at(-1)]);
  // Before the charts are drawn: their ends are what the figures beside them say.
  useMemo(() => {
    const row = target.rows.get(id);
    series.append(model.fleet.atMs / 1_000, row === undefined ? {} : workerMoment(row.worker));
  }, [model.version]);
  return series;
}

function Facts({ worker, seenSeconds }: { worker: Worker; seenSeconds: number | undefined }) {
  const { registered } = worker;
  const facts: readonly [string, ComponentChildren][] = [
    ["Seen", seenSeconds === undefined ? "never" : agoText(seenSeconds)],
    ["Registered", registered === undefined ? "not known" : registered ? "yes" : "no"],
    ["Model", nameOf(worker.model)],
    ["Kind", nameOf(worker.worker_type)],
    ["Release", nameOf(worker.release)],
    ["Service version", nameOf(worker.service_version)],
    ["Load record", nameOf(worker.load_shape)],
    ["Seen by", worker.channels.length === 0 ? UNKNOWN : worker.channels.join(", ")],
    ["Id in hex", hexOf(worker.id) || UNKNOWN],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function WorkerCharts({ worker, series, now }: { worker: Worker; series: Series; now: number }) {
  const cards = [
    {
      title: "KV blocks in use",
      figure: worker.kv_blocks_used,
      whole: worker.kv_blocks_total,
      ratio: kvRatio(worker),
      name: "kv_blocks_used",
      text: numberText,
      atLeast: worker.kv_blocks_total ?? 1,
    },
    {
      title: "Slots in use",
      figure: worker.slots_active,
      whole: worker.slots_total,
      ratio: slotRatio(worker),
      name: "slots_active",
      text: numberText,
      atLeast: worker.slots_total ?? 1,
    },
    {
      title: "Requests waiting",
      figure: worker.requests_waiting,
      name: "requests_waiting",
      text: numberText,
      atLeast: 4,
      weight: `waiting-${waitingWeight(worker.requests_waiting, worker.slots_total)}`,
      beside: beside(worker.requests_in_flight, (count) => `${numberText(count)} in flight`),
    },
    {
      title: "Cache usage",
      figure: worker.cache_usage,
      name: "cache_usage",
      text: percentText,
      atLeast: 1,
      beside: beside(worker.prefix_hit, (ratio) => `prefix hits ${percentText(ratio)}`),
    },
  ];
  const partial = partialNote(worker);
  return (
    <div class="cards">
      {cards.map(({ title, figure, whole, ratio, name, text, atLeast, beside, weight }) => (
        <article class="card" key={title}>
          <h3>{title}</h3>
          <p class="figure">
            <strong class={weight}>{text(figure)}</strong>
            {whole !== undefined && <span>of {numberText(whole)}</span>}
            {ratio !== undefined && <Bar ratio={ratio} />}
            {partial !== undefined && figure !== undefined && <span class="partial">{partial}</span>}
            {beside !== undefined && <span>{beside}</span>}
          </p>
          <Chart
            key={atLeast}
            title={title}
            series={series}
            lines={[{ name, label: title }]}
            text={text}
            atLeast={atLeast}
            now={now}
          />
        </article>
      ))}
    </div>
  );
}

function beside(value: number | undefined, text: (value: number) => string): string | undefined {
  return value === undefined ? undefined : text(value);
}

function Tables({ worker }: { worker: Worker }) {
  const { ranks, estimates, endpoints } = worker;
  return (
    <div class="lists">
      <List
        title="Ranks"
        beside={partialNote(worker)}
        heads={["Rank", "KV blocks in use", "Running", "Waiting", "Cache usage", "Prefix hits"]}
        rows={ranks?.map((rank) => [
          rankName(rank),
          ...[rank.kv_blocks_used, rank.requests_running, rank.requests_waiting].map(numberText),
          ...[rank.cache_usage, rank.prefix_hit].map(percentText),
        ])}
      />
      <List
        title="Routers' estimates"
        heads={["Router", "Rank", "Decode blocks", "Prefill tokens"]}
        rows={estimates?.map((estimate) => [
          nameOf(estimate.router),
          String(estimate.dp_rank),
          ...[estimate.active_decode_blocks, estimate.active_prefill_tokens].map(numberText),
        ])}
      />
      <List
        title="Endpoints"
        heads={["Endpoint", "Requests", "Errors", "Busy in all"]}
        rows={endpoints?.map(({ name, requests, errors, processing_seconds }) => [
          nameOf(name),
          numberText(requests),
          numberText(errors),
          durationText(processing_seconds),
        ])}
      />
    </div>
  );
}

function nameOf(name: string | undefined): ComponentChildren {
  return <Name of={name} />;
}

function rankName({ dp_rank, silent }: Rank): ComponentChildren {
  return <>{dp_rank} {silent && <span class="bad">silent</span>}</>;
}

function List(
  { title, beside, heads, rows }: {
    title: string;
    beside?: string | undefined;
    heads: readonly string[];
    rows: readonly (readonly ComponentChildren[])[] | undefined;
  },
) {
  if (rows === undefined || rows.length === 0) return null;
  return (
    <section class="list">
      <h3>
        {title}
        {beside !== undefined && <span class="partial">{beside}</span>}
      </h3>
      <table>
        <thead>
          <tr>{heads.map((head) => <th key={head} scope="col">{head}</th>)}</tr>
        </thead>
        <tbody>
          {rows.map((cells, n) => <tr key={n}>{cells.map((cell, m) => <td key={m}>{cell}</td>)}</tr>)}
        </tbody>
      </table>
    </section>
  );
}
