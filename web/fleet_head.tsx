import { Chart, type Line } from "./chart.tsx";
import type { TargetView } from "../lib/view/fleet_view.ts";
import type { Model } from "./model.ts";
import { ratioOf } from "../lib/view/ratio.ts";
import { waitingWeight } from "../lib/view/waiting.ts";
import { durationText, numberText, percentText } from "./text.ts";

interface Card {
  readonly title: string;
  readonly value: string;
  readonly beside?: string;
  readonly look?: string;
  readonly lines: readonly Line[];
  readonly deviation?: string;
  readonly text: (value: number | undefined) => string;
  readonly atLeast: number;
  readonly isKeyed?: true;
}

/** The shortest scale of a number that is counted: its marks are whole numbers. */
const COUNT_SCALE = 4;

/** The numbers of the whole fleet, each with its last 15 minutes. */
export function FleetHead({ model, target }: { model: Model; target: TargetView }) {
  return (
    <section class="cards" aria-label="Fleet">
      {cardsOf(target).map(({ title, value, beside, look, ...chart }) => (
        <article class="card" key={title}>
          <h2>{title}</h2>
          <p class="figure">
            <strong class={look}>{value}</strong>
            {beside !== undefined && <span>{beside}</span>}
          </p>
          <Chart {...chart} title={title} series={model.series(target.name)} now={model.nowMs / 1_000} />
        </article>
      ))}
    </section>
  );
}

function cardsOf({ aggregate }: TargetView): Card[] {
  const { workers, hit_rate, round } = aggregate;
  const all = Object.values(workers).reduce((sum, count) => sum + count);
  const part = (some: number | undefined, whole: number | undefined, of: string) =>
    some === undefined || !whole ? {} : { beside: `${numberText(some)} of ${numberText(whole)} ${of}` };
  const percent = { text: percentText, atLeast: 1 };
  return [
    {
      title: "Workers",
      value: numberText(workers.responding),
      beside: `of ${numberText(all)} responding`,
      lines: [{ name: "responding", label: "responding" }, { name: "silent", label: "silent" }],
      text: numberText,
      atLeast: COUNT_SCALE,
    },
    {
      title: "Load per worker",
      value: numberText(aggregate.load_avg),
      ...(aggregate.load_std === undefined
        ? {}
        : { beside: `± ${numberText(aggregate.load_std)} KV blocks` }),
      lines: [{ name: "load_avg", label: "average" }],
      deviation: "load_std",
      text: numberText,
      atLeast: COUNT_SCALE,
    },
    {
      title: "KV cache",
      value: percentText(aggregate.kv_utilisation),
      ...part(aggregate.kv_blocks_used, aggregate.kv_blocks_total, "blocks"),
      lines: [{ name: "kv_utilisation", label: "in use" }],
      ...percent,
    },
    {
      title: "Request slots",
      value: percentText(aggregate.slot_utilisation),
      ...part(aggregate.slots_active, aggregate.slots_total, "slots"),
      lines: [{ name: "slot_utilisation", label: "in use" }],
      ...percent,
    },
    {
      title: "Requests waiting",
      value: numberText(aggregate.requests_waiting),
      look: `waiting-${waitingWeight(aggregate.requests_waiting, aggregate.slots_total)}`,
      ...(aggregate.requests_in_flight !== undefined &&
        { beside: `${numberText(aggregate.requests_in_flight)} in flight` }),
      lines: [{ name: "requests_waiting", label: "waiting" }],
      text: numberText,
      atLeast: COUNT_SCALE,
    },
    {
      title: "KV hit rate",
      value: percentText(ratioOf(hit_rate?.overlap_blocks, hit_rate?.isl_blocks)),
      ...(hit_rate === undefined
        ? { beside: "no router's events heard" }
        : { beside: "since the start of metrics", isKeyed: true }),
      lines: [{ name: "hit_rate", label: "at each moment" }],
      ...percent,
    },
    {
      title: "Round",
      value: round?.failed ? "failed" : durationText(round?.seconds),
      beside: round === undefined
        ? "nobody was asked yet"
        : `${numberText(round.answered)} answers, ${numberText(round.expected)} expected`,
      lines: [{ name: "round_seconds", label: "took" }],
      text: durationText,
      atLeast: 0.01,
    },
  ];
}
