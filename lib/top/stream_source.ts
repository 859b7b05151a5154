import { createParser } from "eventsource-parser";
import { BackOff, type Clock, sleep, within } from "../timing.ts";
import type { Change, Fleet, HistoryAnswer } from "../exposition/api_v1.ts";
import { FleetView } from "../view/fleet_view.ts";
import { printable } from "../view/printable.ts";
import type { FleetSource, Reading } from "./source.ts";

/** A stream that says nothing for so long is lost: `alive` comes after 5 s. */
const SILENCE_MS = 20_000;
/** How long an answer may take to begin, and one that is read at once to end. */
const ANSWER_MS = 5_000;

export interface StreamSourceOptions {
  /** The address that a `metrics` serves at. */
  readonly url: URL;
  readonly clock: Clock;
}

/** What the stream of a `metrics` that runs says; one that is lost is sought again for ever. */
export class StreamSource implements FleetSource {
  readonly url: string;
  readonly #base: URL;
  readonly #clock: Clock;
  readonly #view = new FleetView();
  #hasState = false;
  /** What the view holds; undefined until somebody reads it. */
  #fleet: Fleet | undefined;
  #toldAtMs = 0;
  #problem: string | undefined;
  readonly #listeners = new Set<() => void>();

  constructor({ url, clock }: StreamSourceOptions) {
    this.url = url.href.replace(/\/$/, "");
    this.#base = new URL(`${this.url}/api/v1/`);
    this.#clock = clock;
  }

  read(): Reading {
    const problem = this.#problem;
    return {
      fleet: this.#hasState ? this.#fleet ??= this.#view.state() : undefined,
      ageMs: this.#hasState ? this.#clock().monotonicMs - this.#toldAtMs : 0,
      isLost: problem !== undefined,
      problem,
    };
  }

  subscribe(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  async past(worker?: string): Promise<HistoryAnswer | undefined> {
    const url = new URL("history", this.#base);
    if (worker !== undefined) url.searchParams.set("worker", worker);
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
      if (response.ok) return await response.json();
      await response.body?.cancel();
    } catch {
      // The stream says what is wrong with the server.
    }
    return undefined;
  }

  async run(signal: AbortSignal): Promise<void> {
    const backOff = new BackOff({ firstMs: 250, maxMs: 5_000 });
    while (!signal.aborted) {
      try {
        await this.#follow(signal, backOff);
        this.#problem = "the stream has ended";
      } catch (error) {
        this.#problem = problemText(error as Error);
      }
      this.#notify();
      await sleep(backOff.next(), { signal });
    }
  }

  /** Reads one stream to its end. */
  async #follow(signal: AbortSignal, backOff: BackOff): Promise<void> {
    using end = endWith(signal);
    const url = new URL("stream", this.#base);
    const response = await within(fetch(url, { signal: end.signal, redirect: "error" }), {
      ms: ANSWER_MS,
      what: "its answer",
    });
    if (!response.ok || response.body === null) {
      throw new Error(`${url.pathname} answers ${response.status}`);
    }
    const parser = createParser({
      onEvent: ({ event, data }) => {
        this.#take(event, JSON.parse(data));
        if (event !== "state") backOff.reset(); // A state alone comes of any server; what follows has to be taken too.
      },
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await within(reader.read(), { ms: SILENCE_MS, what: "the next word" });
      if (done) return;
      parser.feed(value);
    }
  }

  /** @throws when it is none of the messages of a `metrics` */
  #take(
    event: string | undefined,
    { now: _, ...message }: { readonly now: string } & (Fleet | Change),
  ): void {
    if (event === "alive") return; // Nothing has changed.
    if (!Array.isArray(message?.targets)) throw new Error("what answers there is no metrics");
    if (event === "state") this.#view.replace(message as Fleet);
    else if (event === "change" && this.#hasState) this.#view.apply(message as Change);
    this.#hasState ||= event === "state";
    this.#fleet = undefined;
    this.#toldAtMs = this.#clock().monotonicMs;
    this.#problem = undefined;
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** A signal that is aborted when `outer` is, and when it is disposed of: whatever was left open by then ends. */
function endWith(outer: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const end = new AbortController();
  return {
    signal: AbortSignal.any([outer, end.signal]),
    [Symbol.dispose]: () => end.abort(),
  };
}

/** The innermost cause; of its parts the last says why, those before it what was tried. */
function problemText({ cause, message }: Error): string {
  return cause instanceof Error ? problemText(cause) : printable(message.split(": ").at(-1)!);
}
