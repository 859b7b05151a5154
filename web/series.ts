import { ratioOf } from "../lib/view/ratio.ts";
import type { Aggregate, HistoryAnswer, Worker } from "../lib/exposition/api_v1.ts";

/** How much of the past the charts show, in seconds. */
export const WINDOW_SECONDS = 15 * 60;

/** How long after the last moment a gap begins. */
const GAP_SECONDS = 0.001;

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

  /**
   * Puts what the server remembers in the place of what this page has seen in the same time. Of the time before, which a server
   * that began anew does not remember, it stays.
   */
  remember(
    { step_seconds, to }: Pick<HistoryAnswer, "step_seconds" | "to">,
    series: HistoryAnswer["targets"][number]["series"],
  ): void {
    const columns = Object.values(series);
    const length = Math.max(0, ...columns.map((values) => values.length));
    const isKnown = (n: number) => columns.some((values) => (values[n] ?? null) !== null);
    const steps = Array.from({ length }, (_, n) => n);
    const first = steps.find(isKnown);
    if (first === undefined) return;
    const end = Date.parse(to) / 1_000;
    const past = steps.slice(first).map((n) => end - (length - 1 - n) * step_seconds);
    const before = this.times.findLastIndex((time) => time < past[0]!) + 1;
    const after = this.times.findLastIndex((time) => time <= end) + 1;
    const put = <Value>(own: readonly Value[], remembered: readonly Value[]) => [
      ...own.slice(0, before),
      ...remembered,
      ...own.slice(Math.max(before, after)),
    ];
    for (const name of new Set([...this.#values.keys(), ...Object.keys(series)])) {
      const values = steps.slice(first).map((n) => series[name]?.[n] ?? null);
      this.#values.set(name, put(this.values(name), values));
    }
    this.times = put(this.times, past);
  }

  /** Nothing is known of the time from the last moment to the next one: no line is drawn over it. */
  gap(): void {
    const last = this.times.at(-1);
    if (last !== undefined) this.append(last + GAP_SECONDS, {});
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
  return isl < 0 || overlap < 0 ? undefined : ratioOf(overlap, isl);
}

/** What a worker adds to its own series. */
export function workerMoment(
  { kv_blocks_used, slots_active, requests_waiting, cache_usage }: Worker,
): Values {
  return { kv_blocks_used, slots_active, requests_waiting, cache_usage };
}
