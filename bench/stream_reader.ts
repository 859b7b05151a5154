/** One who follows `/api/v1/stream` until it is disposed of, which throws if it broke before, and only counts. */
export class StreamReader implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #running: Promise<void>;
  #bytes = 0;
  #isOver = false;

  private constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
    this.#running = this.#read();
    this.#running.catch(() => {}); // Whoever disposes of it learns of it.
  }

  static async open(url: string): Promise<StreamReader> {
    const { status, body } = await fetch(url);
    if (status !== 200 || body === null) throw new Error(`${url} answers ${status}`);
    return new StreamReader(body);
  }

  get bytes(): number {
    return this.#bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#reader.cancel().catch(() => {}); // What broke it is told by the reading.
    await this.#running;
  }

  /** What comes after the end that we made is no fault of the stream's. */
  async #read(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) throw new Error("the stream ended");
        this.#bytes += value.length;
      }
    } catch (cause) {
      if (!this.#isOver) throw new Error(`the stream broke after ${this.#bytes} bytes`, { cause });
    }
  }
}
