import { EVENT_PROBLEMS } from "../dynamo/event_error.ts";
import { FORWARD_PASS_EVENT } from "../dynamo/forward_pass.ts";
import { HIT_RATE_EVENT } from "../dynamo/hit_rate.ts";
import { KV_METRICS_EVENT } from "../dynamo/kv_metrics.ts";
import type { Target } from "../dynamo/target.ts";
import { FAMILIES } from "../exposition/families.ts";
import { familyLabels, namespaceLabels, PREFIX, targetLabels } from "../exposition/family.ts";
import type { CountedFamily } from "../exposition/samples.ts";
import { GONE_REASONS, HEARD_EVENTS, UNCOUNTED_REASONS, UNHEARD_REASONS } from "../fleet/fleet.ts";
import type { Noted, Recorder } from "../deployment/recorder.ts";
import { ENTRY_REJECTIONS, REPLY_REJECTIONS } from "../scrape/answer.ts";
import { PAGE_PROBLEMS } from "../pages/page_poller.ts";
import { isFailed, type Replies, type Round } from "../scrape/round.ts";
import { SKIP_REASONS, type SkipReason } from "../transport/nats.ts";
import { addProcessMetrics } from "./process_metrics.ts";
import { Counter, Gauge, Histogram, Registry } from "./prom_client.ts";

export interface TelemetryOptions {
  readonly targets: readonly Target[];
  readonly build: { readonly version: string; readonly revision: string };
  /** What the program does beside serving the page; the rest has no series. */
  readonly pushing: boolean;
  readonly publishing: boolean;
}

/** Counts what the program does. Every counter is there with 0 from the start; names and help are the families'. */
export class Telemetry implements Recorder {
  readonly #registry = new Registry();
  readonly #rounds = this.#counter("rounds_total");
  readonly #roundsFailed = this.#counter("rounds_failed_total");
  readonly #roundDuration: Histogram;
  readonly #replies = this.#counter("replies_total");
  readonly #repliesRejected = this.#counter("replies_rejected_total");
  readonly #workersRejected = this.#counter("workers_rejected_total");
  readonly #workersGone = this.#counter("workers_gone_total");
  readonly #events = this.#counter("events_total");
  readonly #eventsMissed = this.#counter("events_missed_total");
  readonly #eventsRejected = this.#counter("events_rejected_total");
  readonly #pages = this.#counter("pages_total");
  readonly #pagesRejected = this.#counter("pages_rejected_total");
  readonly #pushes: { readonly all: Counter; readonly failed: Counter; readonly last: Gauge } | undefined;
  readonly #publishes: { readonly done: Counter; readonly skipped: Counter } | undefined;

  constructor({ targets, build, pushing, publishing }: TelemetryOptions) {
    this.#roundDuration = new Histogram({
      ...this.#describe("round_duration_seconds"),
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
    });
    for (const target of targets) this.#beginAtZero(target);
    if (pushing) {
      this.#pushes = {
        all: this.#counter("pushes_total"),
        failed: this.#counter("pushes_failed_total"),
        last: this.#gauge("last_push_timestamp_seconds"),
      };
      // An unset gauge would show 0, a push in 1970.
      this.#registry.removeSingleMetric(`${PREFIX}last_push_timestamp_seconds`);
    }
    if (publishing) {
      this.#publishes = {
        done: this.#counter("publishes_total"),
        skipped: this.#counter("publishes_skipped_total"),
      };
      for (const labels of targets.map(toLabels)) {
        this.#publishes.done.inc(labels, 0);
        zero(this.#publishes.skipped, labels, SKIP_REASONS);
      }
    }
    this.#gauge("build_info").set({ ...build, deno_version: Deno.version.deno }, 1);
    addProcessMetrics(this.#registry);
  }

  /** Targets of one namespace share its event series. Setting them to 0 twice does no harm. */
  #beginAtZero(target: Target): void {
    const labels = toLabels(target);
    this.#rounds.inc(labels, 0);
    this.#roundsFailed.inc(labels, 0);
    this.#roundDuration.zero(labels);
    this.#replies.inc(labels, 0);
    zero(this.#repliesRejected, labels, [...REPLY_REJECTIONS, ...UNCOUNTED_REASONS]);
    zero(this.#workersRejected, labels, ENTRY_REJECTIONS);
    zero(this.#workersGone, labels, GONE_REASONS);
    for (const event of [HIT_RATE_EVENT, ...HEARD_EVENTS]) {
      const labels = eventLabels(target.namespace, event);
      this.#events.inc(labels, 0);
      this.#eventsMissed.inc(labels, 0);
      zero(this.#eventsRejected, labels, [...EVENT_PROBLEMS, ...UNHEARD_REASONS]);
    }
    this.#pages.inc(labels, 0);
    zero(this.#pagesRejected, labels, PAGE_PROBLEMS);
  }

  note(noted: Noted): void {
    if ("namespace" in noted) this.#noteEvents(noted);
    else this.#noteOf(noted);
  }

  #noteOf({ target, input, notes: { uncounted, gone } }: Extract<Noted, { target: Target }>): void {
    const labels = toLabels(target);
    if (input.kind === "round") this.#noteRound(labels, input.round);
    if (input.kind === "late") this.#noteReplies(labels, input.replies);
    if (input.kind === "pages") {
      this.#pages.inc(labels, input.asked);
      count(this.#pagesRejected, labels, input.rejected);
    }
    count(this.#repliesRejected, labels, uncounted);
    count(this.#workersGone, labels, gone);
  }

  #noteRound(labels: Record<string, string>, round: Round): void {
    this.#rounds.inc(labels);
    if (isFailed(round)) this.#roundsFailed.inc(labels);
    else this.#roundDuration.observe(labels, (round.endedAt.monotonicMs - round.sentAt.monotonicMs) / 1_000);
    this.#noteReplies(labels, round);
  }

  #noteReplies(labels: Record<string, string>, { replies, rejected, rejectedEntries }: Replies): void {
    this.#replies.inc(labels, replies);
    count(this.#repliesRejected, labels, rejected);
    count(this.#workersRejected, labels, rejectedEntries);
  }

  #noteEvents(noted: Extract<Noted, { namespace: string }>): void {
    const { namespace, input } = noted;
    if (input.kind === "hit_rates") {
      const labels = eventLabels(namespace, HIT_RATE_EVENT);
      const refused = Object.values(input.rejected).reduce((sum, n) => sum + n, 0);
      this.#events.inc(labels, input.events.length + refused);
      return count(this.#eventsRejected, labels, input.rejected);
    }
    for (const [event, { heard, missed, rejected }] of input.counts) {
      const labels = eventLabels(namespace, event);
      this.#events.inc(labels, heard);
      this.#eventsMissed.inc(labels, missed);
      count(this.#eventsRejected, labels, rejected);
    }
    if (!("unheard" in noted)) return;
    for (const [{ said: { kind } }, reason] of noted.unheard) {
      const isPass = kind === "forward_pass" || kind === "heartbeat";
      const event = isPass ? FORWARD_PASS_EVENT : KV_METRICS_EVENT;
      this.#eventsRejected.inc({ ...eventLabels(namespace, event), reason });
    }
  }

  push(outcome: { readonly ok: boolean; readonly epochMs: number }): void {
    if (this.#pushes === undefined) return;
    const { all, failed, last } = this.#pushes;
    all.inc();
    if (!outcome.ok) return failed.inc();
    this.#registry.registerMetric(last);
    last.set(outcome.epochMs / 1_000);
  }

  publish(target: Target, skipped: SkipReason | undefined): void {
    const labels = toLabels(target);
    if (skipped === undefined) this.#publishes?.done.inc(labels);
    else this.#publishes?.skipped.inc({ ...labels, reason: skipped });
  }

  /** All that was counted, as plain values. What may not be read of the process (Deno's permissions) is left out. */
  async counted(): Promise<readonly CountedFamily[]> {
    const families = await this.#registry.getMetricsAsJSON() as unknown as readonly CountedFamily[];
    return families.filter(({ name, values }) => !READ_FROM_PROC.has(name) || values[0]?.value !== 0);
  }

  #counter(name: string): Counter {
    return new Counter(this.#describe(name));
  }

  #gauge(name: string): Gauge {
    return new Gauge(this.#describe(name));
  }

  #describe(shortName: string) {
    const name = PREFIX + shortName;
    const family = FAMILIES.find((family) => family.name === name)!;
    return { name, help: family.help, labelNames: [...familyLabels(family)], registers: [this.#registry] };
  }
}

/** prom-client shows 0 for these where /proc cannot be read; a process has more than none of each. */
const READ_FROM_PROC: ReadonlySet<string> = new Set([
  "process_resident_memory_bytes",
  "process_virtual_memory_bytes",
  "process_heap_bytes",
  "process_open_fds",
]);

function toLabels(target: Target): Record<string, string> {
  return Object.fromEntries(targetLabels(target, "dynamo"));
}

function eventLabels(namespace: string, event: string): Record<string, string> {
  return { ...Object.fromEntries(namespaceLabels({ namespace })), event };
}

/** Adds what was counted by reason; most counts are 0. */
function count(
  counter: Counter,
  labels: Record<string, string>,
  byReason: Readonly<Record<string, number>>,
): void {
  for (const [reason, n] of Object.entries(byReason)) if (n > 0) counter.inc({ ...labels, reason }, n);
}

function zero(counter: Counter, labels: Record<string, string>, reasons: readonly string[]): void {
  for (const reason of reasons) counter.inc({ ...labels, reason }, 0);
}
