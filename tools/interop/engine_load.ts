import { onAbort } from "../../lib/timing.ts";
import { MODEL } from "./tiny_model.ts";

/** Requests at once: more than an engine of 8 slots runs, so that some wait. */
export const AT_ONCE = 12;
/** Tokens of an answer, at least and at most: unlike, so that the requests do not end together. */
const TOKENS = { least: 200, most: 600 } as const;
const WORDS = "alpha beta gamma delta epsilon zeta eta theta iota kappa".split(" ");

/** Requests kept running at a frontend: when one is answered, the next is sent. Disposal hangs up on all. */
export class EngineLoad implements AsyncDisposable {
  readonly #url: string;
  readonly #hangUp = new AbortController();
  readonly #listening: Disposable;
  readonly #running: readonly Promise<void>[];
  #isOver = false;
  #answers = 0;
  #failures = 0;

  /** `count` requests at once. An abort hangs up on all. */
  constructor(
    frontend: string,
    { count, signal }: { readonly count: number; readonly signal: AbortSignal },
  ) {
    this.#url = `${frontend}/v1/chat/completions`;
    this.#listening = onAbort(signal, () => this.#hangUp.abort());
    this.#running = Array.from({ length: count }, () => this.#keepAsking());
  }

  /** Requests that were answered in full so far. */
  get answers(): number {
    return this.#answers;
  }

  /** Requests that were refused or broken off, other than by us. */
  get failures(): number {
    return this.#failures;
  }

  /** Sends no more; resolves when the last request has been answered. */
  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listening[Symbol.dispose]();
    this.#hangUp.abort();
    await this.end();
  }

  async #keepAsking(): Promise<void> {
    while (!this.#isOver && !this.#hangUp.signal.aborted) {
      const isAnswered = await this.#ask().catch(() => false);
      if (this.#hangUp.signal.aborted) return;
      if (isAnswered) {
        this.#answers++;
      } else {
        this.#failures++;
        await new Promise((resolve) => setTimeout(resolve, 500)); // Not in a tight loop.
      }
    }
  }

  async #ask(): Promise<boolean> {
    const response = await fetch(this.#url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: MODEL,
        messages: [{ role: "user", content: prompt() }],
        max_tokens: TOKENS.least + Math.floor(Math.random() * (TOKENS.most - TOKENS.least)),
        ignore_eos: true,
      }),
      signal: this.#hangUp.signal,
    });
    await response.text();
    return response.ok;
  }
}

/** The first half, some 220 tokens, is the same in all, so that the prefix cache is hit; the second is random. */
function prompt(): string {
  const shared = Array.from({ length: 4 }, () => WORDS).flat();
  const own = Array.from({ length: 20 }, () => WORDS[Math.floor(Math.random() * WORDS.length)]);
  return [...shared, ...own].join(" ");
}
