/** Files as whole texts, without waiting for what may never end: a pipe, a device, a file that grows. */

/** What a file is at one moment. */
export interface FileState {
  /** Another text when the file is another or was written to. */
  readonly version: string;
  /** When it was last written to or touched, by its own clock: ms since 1970. */
  readonly touchedMs: number;
}

/**
 * Which content a path leads to. Links are followed.
 *
 * @throws {Error} when the path does not lead to a regular file of at most `maxBytes`
 */
export async function fileState(
  path: string,
  { maxBytes }: { readonly maxBytes: number },
): Promise<FileState> {
  const info = await Deno.stat(path);
  checkFile(info, maxBytes);
  const { mtime, size, ino } = info;
  const touchedMs = mtime?.getTime() ?? 0;
  return { version: `${touchedMs} ${size} ${ino}`, touchedMs };
}

/** @throws {Error} when the path does not lead to a regular file of at most `maxBytes` that can be read */
export async function readRegularFile(
  path: string,
  { maxBytes }: { readonly maxBytes: number },
): Promise<string> {
  checkFile(await Deno.stat(path), maxBytes); // Opening a pipe would wait for its writer.
  using file = await Deno.open(path);
  const text = new BoundedText(maxBytes);
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (let count; (count = await file.read(buffer)) !== null;) text.add(buffer.subarray(0, count));
  return text.end();
}

/** @throws {Error} as `readRegularFile` */
export function readRegularFileSync(path: string, { maxBytes }: { readonly maxBytes: number }): string {
  checkFile(Deno.statSync(path), maxBytes);
  using file = Deno.openSync(path);
  const text = new BoundedText(maxBytes);
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (let count; (count = file.readSync(buffer)) !== null;) text.add(buffer.subarray(0, count));
  return text.end();
}

export class FileTooLargeError extends Error {
  override readonly name = "FileTooLargeError";
  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes`);
  }
}

const CHUNK_BYTES = 65_536;

function checkFile({ isFile, size }: Deno.FileInfo, maxBytes: number): void {
  if (!isFile) throw new Error("not a regular file");
  if (size > maxBytes) throw new FileTooLargeError(maxBytes);
}

/** A size says nothing of a file that grows, or of one in /proc. */
class BoundedText {
  readonly #decoder = new TextDecoder();
  readonly #maxBytes: number;
  #text = "";
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes) throw new FileTooLargeError(this.#maxBytes);
    this.#text += this.#decoder.decode(bytes, { stream: true });
  }

  end(): string {
    return this.#text + this.#decoder.decode();
  }
}
