import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { Bar, Name, StateMark, StuckMark, TroubledMark, Waiting } from "./marks.tsx";
import type { Model } from "./model.ts";
import { workerHref } from "./route.ts";
import { ageText, numberText, percentText } from "./text.ts";
import type { Worker } from "../lib/exposition/api_v1.ts";
import { type Cell, type KnownColumn, PAGE_COLUMNS, wanted } from "../lib/view/columns.ts";
import type { Row, TargetView } from "../lib/view/fleet_view.ts";
import { conditionOf, silentRanksNote, stuckMs } from "../lib/view/worker_notes.ts";

/** All that have something to show. */
export function useColumns({ version }: Model, { rows, aggregate }: TargetView): readonly KnownColumn[] {
  return useMemo(() => {
    const workers = () => rows.values().map(({ worker }) => worker);
    return wanted(PAGE_COLUMNS, { aggregate, workers });
  }, [version, rows]);
}

/** What a row has in a column. */
export function CellOf({ column, row, nowMs }: { column: KnownColumn; row: Row; nowMs: number }) {
  return <>{drawn(column.cell(row, nowMs), row.worker, nowMs)}</>;
}

function drawn(cell: Cell, worker: Worker, nowMs: number): ComponentChildren {
  switch (cell.kind) {
    case "id":
      return (
        <a class="row-link" href={workerHref(worker.id)} title={worker.id}>
          <bdi>{worker.id}</bdi>
        </a>
      );
    case "text":
      return <Name of={cell.text} />;
    case "condition":
      return <Condition worker={worker} nowMs={nowMs} />;
    case "share": {
      const { ratio, used, total, what, note } = cell;
      const title = used === undefined ? "" : `${numberText(used)} of ${numberText(total)} ${what}`;
      return (
        <>
          <Bar ratio={ratio} title={title} />
          {note !== undefined && <small class="partial">{note}</small>}
        </>
      );
    }
    case "count":
      return <Waiting count={cell.count} weight={cell.weight} />;
    case "age":
      return cell.seenMs === undefined ? "never" : ageText(Math.max(0, (nowMs - cell.seenMs) / 1_000));
    case "ranks":
      return cell.text;
    case "pair":
      return `${numberText(cell.used)} of ${numberText(cell.total)}`;
    case "ratio":
      return percentText(cell.ratio);
  }
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
