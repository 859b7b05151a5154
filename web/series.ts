import { ratio } from "./order.ts";
import type { Aggregate, HistoryAnswer, Worker } from "../lib/exposition/api_v1.ts";

/** How much of the past the charts show, in seconds. */
export const WINDOW_SECONDS = 15 * 60;

type Values = Readonly<Record<string, number | null | undefined>>;

/** Several series over one time axis, of the last 15 minutes: what the server remembers, continued by the stream. */
export class Series {
  /** Seconds of the server's clock, ascending. */
  times: number[] = [];
  readonly #values = new Map<string, (number | null)[]>();

  /** Of the series of that name, a value for each of `times`; null where it was not known. */
  values(name: string): (number | null)[] {
    return this.#values.get(name) ?? this.times.map(() => null);
  }

  /** Puts what the server remembers before what the stream has said since. */
  remember(
    { step_seconds, to }: Pick<HistoryAnswer, "step_seconds" | "to">,
    series: HistoryAnswer["targets"][number]["series"],
  ): void {
    const end = Date.parse(to) / 1_000;
    const length = Math.max(0, ...Object.values(series).map((values) => values.length));
    const past = Array.from({ length }, (_, n) => end - (length - 1 - n) * step_seconds);
    const since = this.times.findIndex((time) => time > end);
    const kept = since === -1 ? this.times.length : since;
    const names = new Set([...this.#values.keys(), ...Object.keys(series)]);
    for (const name of names) {
      const values = Array.from({ length }, (_, n) => series[name]?.[n] ?? null);
      this.#values.set(name, [...values, ...this.values(name).slice(kept)]);
    }
    this.times = [...past, ...this.times.slice(kept)];
  }

  /** Adds one moment, later than all others; an earlier one is left out. */
  append(time: number, values: Values): void {
    if (time <= (this.times.at(-1) ?? -Infinity)) return;
    for (const name of Object.keys(values)) {
      if (!this.#values.has(name)) this.#values.set(name, this.times.map(() => null));
    }
    this.times.push(time);
    for (const [name, column] of this.#values) column.push(values[name] ?? null);
    const old = this.times.findIndex((other) => other >= time - WINDOW_SECONDS);
    if (old < 60) return; // Trimmed now and then, not at each moment.
    this.times.splice(0, old);
    for (const column of this.#values.values()) column.splice(0, old);
  }
}

/** What an aggregate adds to the fleet's series; `before` is the one of the moment before, where there is one. */
export function fleetMoment(aggregate: Aggregate, before: Aggregate | undefined): Values {
  const { workers } = aggregate;
  return {
    load_avg: aggregate.load_avg,
    load_std: aggregate.load_std,
    kv_utilisation: aggregate.kv_utilisation,
    slot_utilisation: aggregate.slot_utilisation,
    requests_waiting: aggregate.requests_waiting,
    responding: workers.responding,
    silent: workers.silent,
    round_seconds: aggregate.round?.seconds,
    hit_rate: before && hitRateSince(aggregate.hit_rate, before.hit_rate),
  };
}

/** Of the events since the totals before. They begin anew with the server. */
function hitRateSince(now: Aggregate["hit_rate"], before: Aggregate["hit_rate"]): number | undefined {
  if (now === undefined) return undefined;
  const isl = now.isl_blocks - (before?.isl_blocks ?? 0);
  const overlap = now.overlap_blocks - (before?.overlap_blocks ?? 0);
  return isl < 0 || overlap < 0 ? undefined : ratio(overlap, isl);
}

/** What a worker adds to its own series. */
export function workerMoment(
  { kv_blocks_used, slots_active, requests_waiting, cache_usage }: Worker,
): Values {
  return { kv_blocks_used, slots_active, requests_waiting, cache_usage };
}
