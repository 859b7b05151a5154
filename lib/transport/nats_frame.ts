/** What a server may send: it takes no message above 64 MiB, and says in one line whom else it knows. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const MAX_LINE_BYTES = 1024 * 1024;

export const LF = 0x0a;
const CRLF_LENGTH = 2;
const SPACE = 0x20;
const ZERO = 0x30;
const NINE = 0x39;
const H = 0x48;
const M = 0x4d;

/**
 * Where the parts of a frame of NATS' protocol are: a line, and after that of a message as many bytes as it says. What is no
 * message is a line alone. A frame is read into one object again and again.
 *
 * https://docs.nats.io/reference/reference-protocols/nats-protocol
 */
export class Frame {
  start = 0;
  /** May be beyond what came. */
  end = 0;
  isPlainMessage = false;
  subscription = 0;
  subjectStart = 0;
  subjectEnd = 0;
  replyStart = 0;
  replyEnd = 0;
  dataStart = 0;
  dataEnd = 0;

  /**
   * Reads the frame that begins there. False while its line has no end.
   *
   * @throws {FrameError}
   */
  read(bytes: Uint8Array, start: number): boolean {
    const lineEnd = bytes.indexOf(LF, start);
    if (lineEnd < 0) {
      if (bytes.length - start > MAX_LINE_BYTES) {
        throw new FrameError(`a line of more than ${MAX_LINE_BYTES} bytes`);
      }
      return false;
    }
    const kind = bytes[start];
    this.start = start;
    this.end = lineEnd + 1;
    this.isPlainMessage = kind === M;
    if (kind === M || kind === H) this.#readMessage(bytes, lineEnd - 1);
    return true;
  }

  /** `MSG <subject> <subscription> [reply] <size>`, `HMSG <subject> <subscription> [reply] <size of headers> <size>` */
  #readMessage(bytes: Uint8Array, lineEnd: number): void {
    let sizeStart = lineEnd;
    while (isDigit(bytes[sizeStart - 1])) sizeStart--;
    if (sizeStart === lineEnd) throw new FrameError("a message without a size");
    const size = decimal(bytes, sizeStart);
    if (size > MAX_MESSAGE_BYTES) throw new FrameError(`a message of ${size} bytes`);
    this.dataStart = this.end;
    this.dataEnd = this.dataStart + size;
    this.end = this.dataEnd + CRLF_LENGTH;
    if (!this.isPlainMessage) return;
    this.subjectStart = bytes.indexOf(SPACE, this.start) + 1;
    this.subjectEnd = bytes.indexOf(SPACE, this.subjectStart);
    if (this.subjectEnd + 1 >= sizeStart) throw new FrameError("a message without a subscription");
    this.subscription = decimal(bytes, this.subjectEnd + 1);
    this.replyStart = bytes.indexOf(SPACE, this.subjectEnd + 1) + 1;
    this.replyEnd = sizeStart - 1;
  }
}

/** What is no frame of NATS: nothing that follows can be read. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

/** The number of which the digits begin there. */
function decimal(bytes: Uint8Array, start: number): number {
  let value = 0;
  for (let at = start; isDigit(bytes[at]); at++) value = 10 * value + bytes[at]! - ZERO;
  return value;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

/** What of a frame has come. */
export class BegunFrame {
  #buffer: Uint8Array;
  #length: number;

  constructor(bytes: Uint8Array) {
    this.#buffer = bytes.slice();
    this.#length = bytes.length;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** @param wholeLength of the frame, where it is known */
  add(bytes: Uint8Array, wholeLength?: number): void {
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(wholeLength ?? 2 * length);
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }
}
