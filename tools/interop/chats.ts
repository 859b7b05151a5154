import { onAbort } from "../../lib/timing.ts";
import { MODEL } from "./tiny_model.ts";

/** Tokens of a KV block. */
export const BLOCK_SIZE = 16;

interface Request {
  /** Of the prompt and of the answer so far; 0 while it waits. */
  tokens: number;
  isOpen: boolean;
  readonly hangUp: AbortController;
  /** Once it is being answered; an abort may not end that under Deno 2.9.6, after a garbage collection. */
  answer?: ReadableStreamDefaultReader<Uint8Array>;
}

/** Requests that a frontend is answering, token by token. Disposal hangs up on those that are left. */
export class Chats implements AsyncDisposable {
  readonly #listening: Disposable;
  readonly #running: Promise<void>[];
  readonly #requests: Request[] = [];

  /**
   * Each has words of its own from the first on, so that no two share a block, and asks for `maxTokens` tokens. An
   * abort hangs up on all.
   */
  constructor(
    frontend: string,
    options: { readonly count: number; readonly maxTokens: number; readonly signal: AbortSignal },
  ) {
    this.#listening = onAbort(options.signal, () => this.#hangUp());
    this.#running = Array.from({ length: options.count }, (_, n) => {
      const request: Request = { tokens: 0, isOpen: true, hangUp: new AbortController() };
      this.#requests.push(request);
      const content = `${n} ask `.repeat(20);
      return this.#chat(
        `${frontend}/v1/chat/completions`,
        { content, maxTokens: options.maxTokens },
        request,
      );
    });
  }

  /** Requests whose answer has not come to an end. */
  get open(): number {
    return this.#requests.filter(({ isOpen }) => isOpen).length;
  }

  /** Those of which tokens came. The others wait. */
  get running(): number {
    return this.#requests.filter(({ isOpen, tokens }) => isOpen && tokens > 0).length;
  }

  /** Blocks that the tokens need which came so far. */
  get blocks(): number {
    const blocks = this.#requests.map(({ isOpen, tokens }) => isOpen ? Math.ceil(tokens / BLOCK_SIZE) : 0);
    return blocks.reduce((sum, count) => sum + count, 0);
  }

  /** Resolves when all answers have come to an end. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  #hangUp(): void {
    for (const { hangUp, answer } of this.#requests) {
      hangUp.abort();
      answer?.cancel().catch(() => {}); // It has ended already.
    }
  }

  async #chat(
    url: string,
    { content, maxTokens }: { readonly content: string; readonly maxTokens: number },
    request: Request,
  ): Promise<void> {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          model: MODEL,
          messages: [{ role: "user", content }],
          max_tokens: maxTokens,
          ignore_eos: true,
          stream: true,
          stream_options: { include_usage: true, continuous_usage_stats: true },
        }),
        signal: request.hangUp.signal,
      });
      const answer = request.answer = response.body!.getReader();
      const decoder = new TextDecoder();
      for (let part = await answer.read(); !part.done; part = await answer.read()) {
        const text = decoder.decode(part.value, { stream: true });
        const totals = [...text.matchAll(/"total_tokens":(\d+)[,}]/g)];
        request.tokens = Number(totals.at(-1)?.[1] ?? request.tokens);
      }
    } catch {
      // Hung up, or the frontend broke off: either way it is open no more.
    }
    request.isOpen = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listening[Symbol.dispose]();
    this.#hangUp();
    await this.ended();
  }
}
