import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Row, TargetView } from "./fleet_view.ts";
import type { Model } from "./model.ts";
import { arrange, type Filter, FIRST_DESCENDING, type Order, STATES } from "./order.ts";
import { Shape } from "./marks.tsx";
import { counted, numberText, STATE_WORDS } from "./text.ts";
import { useScrollPlace } from "./place.ts";
import { fleetHref, type FleetRoute } from "./route.ts";
import { ROW_HEIGHT, rowInSight, topOf, useWindow } from "./row_window.ts";
import { type Column, OPTIONAL, useColumns } from "./worker_columns.tsx";

/** All workers: sorted, filtered, and only those drawn that can be seen. */
export function WorkerTable(
  { model, target, view, look }: {
    model: Model;
    target: TargetView;
    view: FleetRoute;
    look: (view: FleetRoute) => void;
  },
) {
  const { order, filter } = view;
  const setOrder = (order: Order) => look({ ...view, order, row: 0 });
  const setFilter = (filter: Filter) => look({ ...view, filter, row: 0 });
  const { isHeld, ...holding } = useHold();
  const rows = useArranged({ model, target, order, filter, isHeld });
  const body = useRef<HTMLTableSectionElement>(null);
  const { first, last } = useWindow(body, rows.length);
  useScrollPlace({
    href: () => fleetHref({ ...view, row: rowInSight(body.current!) }),
    first: () => view.row === 0 ? 0 : scrollY + topOf(body.current!) + view.row * ROW_HEIGHT,
  });
  const shown = rows.slice(first, last);
  const columns = useColumns(model, target);
  const missing = OPTIONAL.flatMap((key) =>
    columns.some((column) => column.key === key) ? [] : [`no-${key}`]
  );
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
          {...holding}
          onKeyDown={moveFocus}
        >
          <Gap height={first * ROW_HEIGHT} columns={columns.length} />
          {shown.map((row, n) => (
            <tr key={row.worker.id} class={`row is-${row.worker.state}`} aria-rowindex={first + n + 2}>
              {columns.map(({ key, cell }) => <td key={key} class={`col-${key}`}>{cell(row, model.nowMs)}
              </td>)}
            </tr>
          ))}
          <Gap height={(rows.length - last) * ROW_HEIGHT} columns={columns.length} />
        </tbody>
      </table>
      {rows.length === 0 && (
        <p class="empty">
          {target.rows.size === 0 ? "There are no workers to show." : "No worker passes the filter."}
        </p>
      )}
    </section>
  );
}

/** How long a touch holds the order: nobody knows where a finger that is lifted will come down. */
const TOUCH_HOLD_MS = 5_000;

/** Whether the order is held, so that rows do not run away: under a mouse, and for some seconds after a touch. */
function useHold() {
  const [isHeld, hold] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    isHeld,
    onPointerEnter: ({ pointerType }: PointerEvent) => pointerType === "mouse" && hold(true),
    onPointerLeave: ({ pointerType }: PointerEvent) => pointerType === "mouse" && hold(false),
    onPointerDown: ({ pointerType }: PointerEvent) => {
      if (pointerType === "mouse") return;
      clearTimeout(timer.current);
      timer.current = setTimeout(() => hold(false), TOUCH_HOLD_MS);
      hold(true);
    },
  };
}

/** The rows in their order. While it is held rows stay where they are; those that are gone leave. */
function useArranged(
  { model, target, order, filter, isHeld }: {
    model: Model;
    target: TargetView;
    order: Order;
    filter: Filter;
    isHeld: boolean;
  },
): Row[] {
  const last = useRef<{ rows: Row[]; of: readonly unknown[] }>({ rows: [], of: [] });
  return useMemo(() => {
    const of = [target, order.key, order.descending, filter.text, filter.state];
    const isSame = of.every((part, n) => part === last.current.of[n]);
    const rows = isHeld && isSame
      ? last.current.rows.filter(({ worker: { id } }) => target.rows.has(id))
      : arrange(target.rows.values(), order, filter);
    last.current = { rows, of };
    return rows;
  }, [model.version, target, order.key, order.descending, filter.text, filter.state, isHeld]);
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
        placeholder="Filter by id or model   /"
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
  { column, order, setOrder }: { column: Column; order: Order; setOrder: (order: Order) => void },
) {
  const { key, title } = column;
  const isSorted = order.key === key;
  const direction = order.descending ? "descending" : "ascending";
  const press = () => setOrder({ key, descending: isSorted ? !order.descending : FIRST_DESCENDING[key] });
  return (
    <th class={`col-${key}`} scope="col" aria-sort={isSorted ? direction : undefined}>
      <button type="button" onClick={press}>
        {title}
        <span class="arrow" aria-hidden="true">{isSorted ? order.descending ? "↓" : "↑" : ""}</span>
      </button>
    </th>
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

/** Arrow keys go from row to row. */
function moveFocus(event: KeyboardEvent & { readonly currentTarget: HTMLElement }): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>(".row-link")];
  const next = links[links.indexOf(document.activeElement as HTMLElement) + step];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, select, textarea");
}
