/** The last lines a program wrote. */
export class LogTail {
  readonly #limit: number;
  #lines: string[] = [];
  #written = 0;

  constructor(limit = 200) {
    this.#limit = limit;
  }

  /** How many lines were written in all: a mark for `since`. */
  get written(): number {
    return this.#written;
  }

  /** The kept lines, oldest first, joined. */
  get text(): string {
    return this.#lines.join("\n");
  }

  /** The kept lines that were written after the mark, oldest first. */
  since(mark: number): readonly string[] {
    return this.#lines.slice(Math.max(0, this.#lines.length - (this.#written - mark)));
  }

  /** Reads a stream to its end. Never rejects: a stream that breaks has ended. */
  async read(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    try {
      for await (const chunk of stream) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        lines.forEach((line) => this.#add(line));
      }
    } catch {
      // the process is gone
    }
    if (rest !== "") this.#add(rest);
  }

  #add(line: string): void {
    this.#written++;
    this.#lines.push(line);
    if (this.#lines.length > this.#limit) this.#lines.shift();
  }
}
