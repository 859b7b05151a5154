/**
 * Where the reader is: the address after `#`, and how far the page is scrolled. Both are in the entry of the browser's history,
 * and so they are there again after Back and after a reload.
 */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { fleetHref, type FleetRoute, parseRoute, type Route } from "./route.ts";

/** How long after the last scroll its place is written down: browsers refuse to write often. */
const SETTLED_MS = 200;

export interface Place {
  readonly route: Route;
  /** Counts the pages that were gone to. */
  readonly visit: number;
  /** The fleet as it was left. */
  readonly back: string;
  /** The worker whose page was left for this one. */
  readonly from: string | undefined;
  /** Looks at the fleet in another way, without a new entry in the history. */
  readonly look: (route: FleetRoute) => void;
}

export function usePlace(): Place {
  const [{ hash, ...place }, set] = useState({
    hash: location.hash,
    visit: 0,
    back: "#/",
    from: undefined as string | undefined,
  });
  useEffect(() => {
    history.scrollRestoration = "manual"; // The browser does it before the rows are there.
    const changed = ({ oldURL }: HashChangeEvent) => {
      const left = new URL(oldURL).hash;
      const route = parseRoute(left);
      set((place) => ({
        hash: location.hash,
        visit: place.visit + 1,
        back: route.page === "fleet" ? left || "#/" : place.back,
        from: route.page === "worker" ? route.id : undefined,
      }));
    };
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  const look = (route: FleetRoute) => {
    const href = fleetHref(route);
    write(href);
    set((place) => ({ ...place, hash: href }));
  };
  return { route: useMemo(() => parseRoute(hash), [hash]), ...place, look };
}

/**
 * Scrolls to where this entry of the history was left, or else by `first`, and writes down where the reader scrolls to.
 * `href` is the address that belongs to it.
 */
export function useScrollPlace({ href, first }: { href: () => string; first: () => number }): void {
  const newest = useRef(href);
  newest.current = href;
  useLayoutEffect(() => {
    const { scrollY } = history.state ?? {};
    scrollTo(0, typeof scrollY === "number" ? scrollY : first());
  }, []);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let at = location.hash;
    const settle = () => {
      clearTimeout(timer);
      timer = undefined;
      if (location.hash === at) write(newest.current());
    };
    const scrolled = () => {
      clearTimeout(timer);
      at = location.hash;
      timer = setTimeout(settle, SETTLED_MS);
    };
    const leaving = () => {
      if (timer !== undefined) settle();
    };
    addEventListener("scroll", scrolled, { passive: true });
    addEventListener("click", leaving, { capture: true });
    addEventListener("pagehide", leaving);
    return () => {
      clearTimeout(timer);
      removeEventListener("scroll", scrolled);
      removeEventListener("click", leaving, { capture: true });
      removeEventListener("pagehide", leaving);
    };
  }, []);
}

function write(href: string): void {
  try {
    history.replaceState({ scrollY }, "", href);
  } catch {
    // The browser refuses more than some writes in a while: the next one is taken.
  }
}
