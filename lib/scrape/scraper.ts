import { SERVICE_FORMS, serviceName } from "../dynamo/service_name.ts";
import { type Target, targetPath } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import { logger } from "../log.ts";
import { serviceSubject } from "../micro/subjects.ts";
import { type Clock, type Instant, onAbort } from "../timing.ts";
import type { NatsLink, NatsMessage } from "../transport/nats.ts";
import { type Answer, type EntryRejection, readReply, type ReplyRejection } from "./answer.ts";
import { decideStop, type RoundLimits, type StopReason } from "./stop_rule.ts";

/** Answers and what was counted while reading them. */
export interface Replies {
  readonly answers: readonly Answer[];
  readonly replies: number;
  readonly rejected: readonly ReplyRejection[];
  readonly rejectedEntries: readonly EntryRejection[];
}

/** One question to all workers of a target, and what came of it until the round's end. */
export interface Round extends Replies {
  /** The number of the question; later questions have greater numbers. */
  readonly request: number;
  readonly sentAt: Instant;
  readonly endedAt: Instant;
  readonly outcome: StopReason | RoundFailure;
}

/** Why a round could not be sent and collected. */
export type RoundFailure = "disconnected" | "refused";

export function isFailed(round: Round): boolean {
  return round.outcome === "disconnected" || round.outcome === "refused";
}

/** A worker whose answer the round waits for, and the service name at which it last answered. */
export interface ExpectedWorker {
  readonly worker: WorkerId;
  readonly service: string;
}

export interface ScraperOptions {
  readonly nats: NatsLink;
  readonly target: Target;
  readonly clock: Clock;
  /** Takes what comes between the rounds, to questions of ended ones. */
  readonly onLate: (replies: Replies) => void;
}

/**
 * Asks the workers of one target for their statistics, under all three service names they may have.
 *
 * One inbox lives as long as the scraper: `<inbox>.<request>.<form>` tells which round an answer belongs to, and which
 * service name the server's "no responders" is about.
 */
export class Scraper implements Disposable {
  readonly #options: ScraperOptions;
  readonly #services: readonly string[];
  readonly #inbox: string;
  readonly #unsubscribe: () => void;
  readonly #log = logger("scrape");
  #request = 0;
  /** The server does not let us hear answers. */
  #isDeaf = false;
  #current: OpenRound | undefined;

  constructor(options: ScraperOptions) {
    const { nats, target } = options;
    this.#options = options;
    this.#services = SERVICE_FORMS.map((form) => serviceName(form, target.namespace, target.component));
    this.#inbox = nats.inbox();
    this.#unsubscribe = nats.subscribe(`${this.#inbox}.*.*`, (message) => this.#receive(message));
    nats.listen({
      onChange: () => {
        this.#isDeaf = false; // Each connection subscribes anew.
        if (!nats.connected) this.#current?.fail("disconnected");
      },
      onRefused: (_, subject) => {
        if (subject.startsWith(this.#inbox)) this.#isDeaf = true;
        if (this.#isDeaf || subject.startsWith("$SRV.")) this.#current?.fail("refused");
      },
    });
  }

  /** The number of the newest question. */
  get request(): number {
    return this.#request;
  }

  /** Asks once. Rounds must not overlap. An abort ends the round where it is. */
  async round(
    options: { expected: readonly ExpectedWorker[]; limits: RoundLimits; signal: AbortSignal },
  ): Promise<Round> {
    const { nats, clock, target } = this.#options;
    const request = ++this.#request;
    const sentAt = clock();
    const open = new OpenRound({
      ...options,
      services: this.#services,
      clock,
      startedMs: sentAt.monotonicMs,
    });
    this.#current = open;
    if (this.#isDeaf) open.fail("refused");
    this.#services.forEach((service, form) => {
      const reply = `${this.#inbox}.${request}.${form}`;
      if (nats.publish(serviceSubject("STATS", service), "", { reply }) !== undefined) {
        open.fail("disconnected");
      }
    });
    const outcome = await open.ended;
    this.#current = undefined;
    const round: Round = { ...open.replies, request, sentAt, endedAt: clock(), outcome };
    this.#log.debug("Round", {
      target: targetPath(target),
      request,
      outcome,
      replies: round.replies,
      durationMs: Math.round(round.endedAt.monotonicMs - sentAt.monotonicMs),
    });
    return round;
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
    this.#current?.fail("disconnected");
  }

  #receive(message: NatsMessage): void {
    const [requestText, formText] = message.subject.slice(this.#inbox.length + 1).split(".");
    const request = Number(requestText);
    const service = this.#services[Number(formText)];
    if (service === undefined || !(request <= this.#request)) return; // Nobody was asked this.
    const current = request === this.#request ? this.#current : undefined;
    if (message.noResponders) {
      current?.close(service);
      return;
    }
    const { endpoint } = this.#options.target;
    const read = readReply(message.data, { service, endpoint, request, at: this.#options.clock() });
    if (read.detail !== undefined) {
      this.#log.debug("Rejected", {
        service,
        reason: read.rejected ?? read.rejectedEntries.join(),
        detail: read.detail,
      });
    }
    if (current) {
      current.take(read.answers, read);
    } else {
      this.#options.onLate({
        answers: read.answers,
        replies: 1,
        rejected: read.rejected ? [read.rejected] : [],
        rejectedEntries: read.rejectedEntries,
      });
    }
  }
}

interface OpenRoundOptions {
  readonly expected: readonly ExpectedWorker[];
  readonly services: readonly string[];
  readonly limits: RoundLimits;
  readonly clock: Clock;
  readonly startedMs: number;
  readonly signal: AbortSignal;
}

/** A round that still collects; `ended` settles when the stop rule, a failure or an abort says so. */
class OpenRound {
  readonly #options: OpenRoundOptions;
  readonly #end = Promise.withResolvers<StopReason | RoundFailure>();
  readonly #missing: Map<WorkerId, string>;
  readonly #open: Set<string>;
  readonly #replies = {
    answers: [] as Answer[],
    replies: 0,
    rejected: [] as ReplyRejection[],
    rejectedEntries: [] as EntryRejection[],
  };
  #lastHeardMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: OpenRoundOptions) {
    this.#options = options;
    this.#missing = new Map(options.expected.map(({ worker, service }) => [worker, service]));
    this.#open = new Set(options.services);
    this.#lastHeardMs = options.startedMs;
    const aborted = onAbort(options.signal, () => this.fail("disconnected"));
    this.ended = this.#end.promise.finally(() => {
      clearTimeout(this.#timer);
      aborted[Symbol.dispose]();
    });
    this.#decide();
  }

  readonly ended: Promise<StopReason | RoundFailure>;

  get replies(): Replies {
    return this.#replies;
  }

  take(
    answers: readonly Answer[],
    read: { rejected?: ReplyRejection; rejectedEntries: readonly EntryRejection[] },
  ): void {
    this.#replies.replies++;
    this.#replies.answers.push(...answers);
    if (read.rejected) this.#replies.rejected.push(read.rejected);
    this.#replies.rejectedEntries.push(...read.rejectedEntries);
    for (const { worker } of answers) this.#missing.delete(worker);
    this.#heard();
  }

  /** Nobody listens at this service name: nobody is waited for there. */
  close(service: string): void {
    this.#open.delete(service);
    for (const [worker, at] of this.#missing) if (at === service) this.#missing.delete(worker);
    this.#heard();
  }

  fail(failure: RoundFailure): void {
    this.#end.resolve(failure);
  }

  #heard(): void {
    this.#lastHeardMs = this.#options.clock().monotonicMs;
    this.#decide();
  }

  #decide(): void {
    const { startedMs, expected, limits, clock } = this.#options;
    const progress = {
      startedMs,
      lastHeardMs: this.#lastHeardMs,
      expected: expected.length,
      missing: this.#missing.size,
      openServices: this.#open.size,
    };
    const decision = decideStop(progress, limits, clock().monotonicMs);
    clearTimeout(this.#timer);
    if ("end" in decision) this.#end.resolve(decision.end);
    else this.#timer = setTimeout(() => this.#decide(), decision.waitMs);
  }
}
