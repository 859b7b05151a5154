import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import type { Row, TargetView } from "../lib/view/fleet_view.ts";
import { Bar, Name, StateMark, StuckMark, TroubledMark, Waiting } from "./marks.tsx";
import type { Model } from "./model.ts";
import { kvRatio, slotRatio } from "../lib/view/worker_ratios.ts";
import { type SortKey, sumOf } from "../lib/view/order.ts";
import { workerHref } from "./route.ts";
import { ageText, numberText } from "./text.ts";
import type { Worker } from "../lib/exposition/api_v1.ts";
import { conditionOf, partialNote, silentRanksNote, stuckMs } from "../lib/view/worker_notes.ts";

/** A column of the table of workers. */
export interface Column {
  readonly key: SortKey;
  readonly title: string;
  readonly cell: (row: Row, nowMs: number) => ComponentChildren;
}

const COLUMNS: readonly Column[] = [
  {
    key: "state",
    title: "State",
    cell: ({ worker }, nowMs) => <Condition worker={worker} nowMs={nowMs} />,
  },
  {
    key: "worker",
    title: "Worker",
    cell: ({ worker: { id } }) => (
      <a class="row-link" href={workerHref(id)} title={id}>
        <bdi>{id}</bdi>
      </a>
    ),
  },
  { key: "model", title: "Model", cell: ({ worker: { model } }) => <Name of={model} /> },
  {
    key: "kv",
    title: "KV cache",
    cell: ({ worker }) => (
      <>
        <Bar
          ratio={kvRatio(worker)}
          title={ofText(worker.kv_blocks_used, worker.kv_blocks_total, "blocks")}
        />
        <Partial worker={worker} />
      </>
    ),
  },
  {
    key: "slots",
    title: "Slots",
    cell: ({ worker }) => (
      <Bar ratio={slotRatio(worker)} title={ofText(worker.slots_active, worker.slots_total, "slots")} />
    ),
  },
  {
    key: "waiting",
    title: "Waiting",
    cell: ({ worker: { requests_waiting, slots_total } }) => (
      <Waiting count={requests_waiting} slots={slots_total} />
    ),
  },
  {
    key: "flight",
    title: "In flight",
    cell: ({ worker }) => numberText(worker.requests_in_flight),
  },
  {
    key: "errors",
    title: "Errors",
    cell: ({ worker }) => <Errors count={sumOf(worker, "errors")} />,
  },
  {
    key: "age",
    title: "Seen",
    cell: ({ seenMs }, nowMs) =>
      seenMs === undefined ? "never" : ageText(Math.max(0, (nowMs - seenMs) / 1_000)),
  },
];

/** Columns that are left out if no worker has anything in them. */
export const OPTIONAL: readonly SortKey[] = ["model", "flight"];

/** All that have something to show. */
export function useColumns({ version }: Model, { rows }: TargetView): readonly Column[] {
  return useMemo(() => {
    const has: Partial<Record<SortKey, boolean>> = {
      model: [...rows.values()].some(({ worker }) => worker.model !== undefined),
      flight: [...rows.values()].some(({ worker }) => worker.requests_in_flight !== undefined),
    };
    return COLUMNS.filter(({ key }) => has[key] !== false);
  }, [version, rows]);
}

/** Its state, and in what trouble it is that the state does not tell: stuck, or with silent ranks, or both. */
function Condition({ worker, nowMs }: { worker: Worker; nowMs: number }) {
  const condition = conditionOf(worker);
  if (condition === worker.state) return <StateMark state={worker.state} />;
  const below = silentRanksNote(worker) ?? `for ${ageText(stuckMs(worker, nowMs)! / 1_000)}`;
  return (
    <>
      {condition === "stuck" ? <StuckMark /> : <TroubledMark state={worker.state} />}
      <small class="bad" title={below}>{below}</small>
    </>
  );
}

/** Beside numbers that are not over all ranks. */
function Partial({ worker }: { worker: Worker }) {
  const text = partialNote(worker);
  return text === undefined ? null : <small class="partial">{text}</small>;
}

function Errors({ count }: { count: number | undefined }) {
  return count ? <span class="errors">{numberText(count)}</span> : <>{numberText(count)}</>;
}

function ofText(used: number | undefined, total: number | undefined, what: string): string {
  return used === undefined ? "" : `${numberText(used)} of ${numberText(total)} ${what}`;
}
