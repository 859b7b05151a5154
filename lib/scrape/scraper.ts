import { SERVICE_FORMS, serviceName } from "../dynamo/service_name.ts";
import { type Target, targetPath } from "../dynamo/target.ts";
import { logger } from "../log.ts";
import { isServiceSubject, serviceSubject } from "../micro/subjects.ts";
import { type Clock, onAbort, turnClock } from "../timing.ts";
import type { NatsLink } from "../transport/nats.ts";
import type { NatsMessage } from "../transport/nats_message.ts";
import { Answer, ENTRY_REJECTIONS, noRejections, type ReadReply } from "./answer.ts";
import { type Question, ReplyReader } from "./reply_reader.ts";
import type { ExpectedWorkers } from "./expected_workers.ts";
import type { AnswerInput, Replies, Round, RoundFailure } from "./round.ts";
import { decideStop, type RoundLimits, type StopReason } from "./stop_rule.ts";

export interface ScraperOptions {
  readonly nats: NatsLink;
  readonly target: Target;
  readonly clock: Clock;
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
  /** One for each service, since their replies differ in it. */
  readonly #readers: readonly ReplyReader[];
  readonly #inbox: string;
  /** One moment for all messages that come in one piece. */
  readonly #clock: Clock;
  readonly #ends = new DisposableStack();
  readonly #log = logger("scrape");
  #request = 0;
  /** That of the newest message. */
  #question: AskedQuestion | undefined;
  /** The server does not let us hear answers. */
  #isDeaf = false;
  #current: OpenRound | undefined;
  #late: Collection | undefined;
  #ended: Round | undefined;
  onInput = () => {};

  constructor(options: ScraperOptions) {
    const { nats, target } = options;
    this.#options = options;
    this.#services = SERVICE_FORMS.map((form) => serviceName(form, target.namespace, target.component));
    const { endpoint } = target;
    this.#readers = this.#services.map((service) => new ReplyReader({ service, endpoint }));
    this.#inbox = nats.inbox();
    this.#clock = turnClock(options.clock);
    this.#ends.use(nats.subscribe(`${this.#inbox}.*.*`, (message) => this.#receive(message)));
    this.#ends.use(nats.listen({
      onChange: () => {
        this.#isDeaf = false; // Each connection subscribes anew.
        if (!nats.connected) this.#current?.fail("disconnected");
      },
      onRefused: (_, subject) => {
        if (subject.startsWith(this.#inbox)) this.#isDeaf = true;
        if (this.#isDeaf || isServiceSubject(subject)) this.#current?.fail("refused");
      },
    }));
  }

  /** The number of the newest question. */
  get request(): number {
    return this.#request;
  }

  take(): readonly AnswerInput[] {
    const [late, round] = [this.#late, this.#ended];
    this.#late = undefined;
    this.#ended = undefined;
    return [
      ...late ? [{ kind: "late", replies: late } as const] : [],
      ...round ? [{ kind: "round", round } as const] : [],
    ];
  }

  /** Asks once; the round that it gives is to be taken. Rounds must not overlap. An abort ends the round where it is. */
  async round(
    options: { expected: ExpectedWorkers; limits: RoundLimits; signal: AbortSignal },
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
    const { answers, replies, rejected, rejectedEntries } = open.replies;
    const collected = { answers, replies, rejected, rejectedEntries };
    const round: Round = this.#ended = { ...collected, request, sentAt, endedAt: clock(), outcome };
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
    this.#ends.dispose();
    this.#current?.fail("disconnected");
  }

  #receive(message: NatsMessage): void {
    const question = this.#questionOf(message.subject);
    const { request, form } = question;
    const service = this.#services[form];
    if (service === undefined || !(request >= 1 && request <= this.#request)) return; // Nobody was asked this.
    const current = request === this.#request ? this.#current : undefined;
    if (message.noResponders) {
      current?.close(service, question.at.monotonicMs);
      return;
    }
    const reader = this.#readers[form]!;
    const answer = reader.known(message.data, question);
    const read = answer ?? reader.learn(message.data, question);
    if (current) {
      current.take(read, question.at.monotonicMs);
    } else {
      this.#late ??= new Collection();
      this.#late.take(read);
      this.onInput();
    }
    if (!(read instanceof Answer) && read.detail !== undefined) {
      this.#log.debug("Rejected", { service, detail: read.detail });
    }
  }

  /** Most messages that come at once answer one question. */
  #questionOf(subject: string): AskedQuestion {
    const at = this.#clock();
    if (subject !== this.#question?.subject || at !== this.#question.at) {
      const [request, form] = subject.slice(this.#inbox.length + 1).split(".").map(Number);
      this.#question = { subject, request: request!, form: form!, at };
    }
    return this.#question;
  }
}

/** What a message answers, and when it came. */
interface AskedQuestion extends Question {
  readonly subject: string;
  /** The service name that was asked, by its place. */
  readonly form: number;
}

/** Replies as they come. */
class Collection implements Replies {
  readonly answers: Answer[] = [];
  replies = 0;
  readonly rejected = noRejections().rejected;
  readonly rejectedEntries = noRejections().rejectedEntries;

  take(read: Answer | ReadReply): void {
    this.replies++;
    if (read instanceof Answer) return void this.answers.push(read);
    for (const answer of read.answers) this.answers.push(answer);
    if (read.rejected) this.rejected[read.rejected]++;
    for (const reason of ENTRY_REJECTIONS) this.rejectedEntries[reason] += read.rejectedEntries[reason];
  }
}

interface OpenRoundOptions {
  readonly expected: ExpectedWorkers;
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
  readonly #expected: ExpectedWorkers;
  readonly #open: Set<string>;
  readonly #replies = new Collection();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastHeardMs: number;

  constructor(options: OpenRoundOptions) {
    this.#options = options;
    this.#expected = options.expected;
    this.#open = new Set(options.services);
    this.#lastHeardMs = options.startedMs;
    const aborted = onAbort(options.signal, () => this.fail("disconnected"));
    this.ended = this.#end.promise.finally(() => {
      clearTimeout(this.#timer);
      aborted[Symbol.dispose]();
    });
    this.#decide(options.startedMs);
  }

  readonly ended: Promise<StopReason | RoundFailure>;

  get replies(): Replies {
    return this.#replies;
  }

  take(read: Answer | ReadReply, atMs: number): void {
    this.#replies.take(read);
    if (read instanceof Answer) this.#expected.heard(read.worker);
    else for (const { worker } of read.answers) this.#expected.heard(worker);
    this.#heard(atMs);
  }

  /** Nobody listens at this service name: nobody is waited for there. */
  close(service: string, atMs: number): void {
    this.#open.delete(service);
    this.#expected.close(service);
    this.#heard(atMs);
  }

  fail(failure: RoundFailure): void {
    this.#end.resolve(failure);
  }

  /** Only the last word can end a round; else the timer, which stands, decides when it is due. */
  #heard(atMs: number): void {
    this.#lastHeardMs = atMs;
    if (this.#expected.missing === 0 || this.#open.size === 0) this.#decide(atMs);
  }

  #decide(nowMs: number): void {
    const { startedMs, limits, clock } = this.#options;
    const progress = {
      startedMs,
      lastHeardMs: this.#lastHeardMs,
      expected: this.#expected.size,
      missing: this.#expected.missing,
      openServices: this.#open.size,
    };
    const decision = decideStop(progress, limits, nowMs);
    if ("end" in decision) return this.#end.resolve(decision.end);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#decide(clock().monotonicMs);
    }, decision.waitMs);
  }
}
