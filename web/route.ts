import { PAGE_COLUMNS } from "../lib/view/columns.ts";
import { BY_ATTENTION, type Filter, isLargestFirst, type Order, STATES } from "../lib/view/order.ts";

/** What the address after `#` asks for: the fleet, or one worker. */
export type Route = FleetRoute | { readonly page: "worker"; readonly id: string };

/** The fleet as somebody looks at it: it can be left, reloaded and sent to somebody else. */
export interface FleetRoute {
  readonly page: "fleet";
  readonly order: Order;
  readonly filter: Filter;
  /** The number of the first row in sight, from 0. */
  readonly row: number;
}

const EVERYTHING: FleetRoute = {
  page: "fleet",
  order: BY_ATTENTION,
  filter: { text: "", state: undefined },
  row: 0,
};

/** What cannot be read is left out. */
export function parseRoute(hash: string): Route {
  const id = /^#\/worker\/([^/]+)$/.exec(hash)?.[1];
  const asked = /^#\/\?(.*)$/s.exec(hash)?.[1];
  if (id === undefined) return asked === undefined ? EVERYTHING : parseFleet(new URLSearchParams(asked));
  try {
    return { page: "worker", id: decodeURIComponent(id) };
  } catch {
    return EVERYTHING; // A `%` that encodes nothing.
  }
}

function parseFleet(asked: URLSearchParams): FleetRoute {
  const key = PAGE_COLUMNS.find(({ key }) => key === asked.get("sort"))?.key;
  const direction = asked.get("order");
  return {
    page: "fleet",
    order: key === undefined ? BY_ATTENTION : {
      key,
      descending: direction === null ? isLargestFirst(key) : direction === "descending",
    },
    filter: {
      text: asked.get("q") ?? "",
      state: STATES.find((state) => state === asked.get("state")),
    },
    row: Number(/^\d{1,7}$/.exec(asked.get("row") ?? "")?.[0] ?? 0),
  };
}

/** `#/?q=llama&sort=waiting`; what is as at first is left out. */
export function fleetHref({ order: { key, descending }, filter: { text, state }, row }: FleetRoute): string {
  const asked = new URLSearchParams();
  if (text !== "") asked.set("q", text);
  if (state !== undefined) asked.set("state", state);
  const isTurned = descending !== isLargestFirst(key);
  if (key !== BY_ATTENTION.key || isTurned) asked.set("sort", key);
  if (isTurned) asked.set("order", descending ? "descending" : "ascending");
  if (row > 0) asked.set("row", String(row));
  return asked.size === 0 ? "#/" : `#/?${asked}`;
}

export function workerHref(id: string): string {
  return `#/worker/${encodeURIComponent(id)}`;
}
