import { useEffect, useRef } from "preact/hooks";
import type { Row, TargetView } from "../lib/view/fleet_view.ts";
import type { Model } from "./model.ts";
import { type Filter, isLargestFirst, type Order, STATES } from "../lib/view/order.ts";
import { Shape } from "./marks.tsx";
import { counted, numberText, STATE_WORDS } from "./text.ts";
import { useScrollPlace } from "./place.ts";
import { fleetHref, type FleetRoute } from "./route.ts";
import { useArranged, useFocusedRow, usePointerHold, useRowFocus } from "./row_hold.ts";
import { drawn } from "./drawn_rows.ts";
import { PRINTED, ROW_HEIGHT, rowInSight, topOf, useWindow } from "./row_window.ts";
import { CellOf, useColumns } from "./worker_columns.tsx";
import { type KnownColumn, PAGE_COLUMNS } from "../lib/view/columns.ts";

/** All workers: sorted, filtered, and only those drawn that can be seen. */
export function WorkerTable(
  { model, target, view, look, from }: {
    model: Model;
    target: TargetView;
    view: FleetRoute;
    look: (view: FleetRoute) => void;
    /** The worker whose page the reader comes from. */
    from: string | undefined;
  },
) {
  const { order, filter } = view;
  const setOrder = (order: Order) => look({ ...view, order, row: 0 });
  const setFilter = (filter: Filter) => look({ ...view, filter, row: 0 });
  const { isHeld: isPointed, ...pointing } = usePointerHold();
  const { id: focusedId, focus, ...focusing } = useRowFocus(from);
  const isHeld = isPointed || focusedId !== undefined;
  const rows = useArranged({ model, target, order, filter, isHeld });
  const body = useRef<HTMLTableSectionElement>(null);
  useScrollPlace({
    href: () => fleetHref({ ...view, row: rowInSight(body.current!) }),
    first: () => view.row === 0 ? 0 : scrollY + topOf(body.current!) + view.row * ROW_HEIGHT,
  });
  const { index: focused, onKeyDown } = useFocusedRow(body, rows, { id: focusedId, focus });
  const seen = useWindow(body, rows.length);
  const { first, last } = model.isPrinting ? { first: 0, last: Math.min(PRINTED, rows.length) } : seen;
  const columns = useColumns(model, target);
  const missing = PAGE_COLUMNS.filter((column) => !columns.includes(column)).map(({ key }) => `no-${key}`);
  return (
    <section class="workers" aria-label="Workers">
      <Toolbar target={target} filter={filter} setFilter={setFilter} shown={rows.length} isHeld={isHeld} />
      <table class={missing.join(" ")} aria-rowcount={rows.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Heading key={column.key} column={column} order={order} setOrder={setOrder} />
            ))}
          </tr>
        </thead>
        <tbody
          ref={body}
          {...pointing}
          {...focusing}
          onKeyDown={onKeyDown}
        >
          {drawn({ first, last, focused, count: model.isPrinting ? last : rows.length }).map((piece) =>
            "gap" in piece
              ? <Gap key={piece.key} height={piece.gap * ROW_HEIGHT} columns={columns.length} />
              : (
                <TableRow
                  key={rows[piece.row]!.worker.id}
                  row={rows[piece.row]!}
                  index={piece.row}
                  columns={columns}
                  nowMs={model.nowMs}
                />
              )
          )}
        </tbody>
      </table>
      {model.isPrinting && last < rows.length && (
        <p class="more">… and {numberText(rows.length - last)} more</p>
      )}
      {rows.length === 0 && (
        <p class="empty">
          {target.rows.size === 0 ? "There are no workers to show." : "No worker passes the filter."}
        </p>
      )}
    </section>
  );
}

function Toolbar(
  { target, filter, setFilter, shown, isHeld }: {
    target: TargetView;
    filter: Filter;
    setFilter: (filter: Filter) => void;
    shown: number;
    isHeld: boolean;
  },
) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) {
        return;
      }
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  const all = target.rows.size;
  const isFiltered = filter.text !== "" || filter.state !== undefined;
  return (
    <div class="toolbar">
      <h2>{isFiltered ? `${numberText(shown)} of ${counted(all, "worker")}` : counted(all, "worker")}</h2>
      <div class="states" role="group" aria-label="Filter by state">
        {STATES.filter((state) => target.aggregate.workers[state] > 0 || filter.state === state).reverse()
          .map((state) => (
            <button
              key={state}
              type="button"
              class={`chip state-${state}`}
              aria-pressed={filter.state === state}
              onClick={() => setFilter({ ...filter, state: filter.state === state ? undefined : state })}
            >
              <Shape of={state} />
              {STATE_WORDS[state]} <b>{numberText(target.aggregate.workers[state])}</b>
            </button>
          ))}
      </div>
      {isHeld && <span class="aside">order held</span>}
      <input
        ref={field}
        type="search"
        aria-label="Filter workers by id or model"
        placeholder={`Filter by id, state or model${hasKeyboard() ? "   /" : ""}`}
        value={filter.text}
        onInput={({ currentTarget }) => setFilter({ ...filter, text: currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          setFilter({ ...filter, text: "" });
          event.currentTarget.blur();
        }}
      />
    </div>
  );
}

function Heading(
  { column, order, setOrder }: { column: KnownColumn; order: Order; setOrder: (order: Order) => void },
) {
  const { key, title } = column;
  const isSorted = order.key === key;
  const direction = order.descending ? "descending" : "ascending";
  const press = () => setOrder({ key, descending: isSorted ? !order.descending : isLargestFirst(key) });
  return (
    <th class={`col-${key}`} scope="col" aria-sort={isSorted ? direction : undefined}>
      <button type="button" onClick={press}>
        {title}
        <span class="arrow" aria-hidden="true">{isSorted ? order.descending ? "↓" : "↑" : ""}</span>
      </button>
    </th>
  );
}

function TableRow(
  { row, index, columns, nowMs }: { row: Row; index: number; columns: readonly KnownColumn[]; nowMs: number },
) {
  const { worker: { id, state } } = row;
  return (
    <tr class={`row is-${state}`} data-id={id} aria-rowindex={index + 2}>
      {columns.map((column) => (
        <td key={column.key} class={`col-${column.key}`}>
          <CellOf column={column} row={row} nowMs={nowMs} />
        </td>
      ))}
    </tr>
  );
}

/** Stands for rows that are not drawn. */
function Gap({ height, columns }: { height: number; columns: number }) {
  if (height <= 0) return null;
  return (
    <tr class="gap" aria-hidden="true">
      <td colSpan={columns} style={{ height: `${height}px` }} />
    </tr>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, select, textarea");
}

/** Whether the key `/`, which goes to the filter, is worth a word: there is a mouse, and room. */
function hasKeyboard(): boolean {
  return matchMedia("(hover: hover) and (min-width: 600px)").matches;
}
