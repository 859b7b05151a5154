import { onAbort } from "../timing.ts";
import { errorText } from "./error_text.ts";
import {
  errorReason,
  greeting,
  peerSocketType,
  pong,
  ready,
  type Received,
  subscriptionChange,
  ZmtpReader,
} from "./zmtp.ts";

const CHUNK_BYTES = 4_096;
/** What a subscriber says is small. */
const MAX_MESSAGE_BYTES = 65_536;
const MAX_SUBSCRIPTIONS = 1_000;

/** One connection to a publisher of ours, from the accept to its end. */
export class ZmqPubConnection {
  readonly #socket: Deno.Conn;
  readonly #options: { readonly maxQueued: number; readonly handshakeMs: number };
  readonly #reader = new ZmtpReader({ maxMessageBytes: MAX_MESSAGE_BYTES });
  /** Aborted with the cause of the end, which is whatever comes first. */
  readonly #end = new AbortController();
  readonly #topics: Uint8Array[] = [];
  readonly #queue: Uint8Array[] = [];
  /** What goes out before the queue: words of the handshake. */
  readonly #urgent: Uint8Array[] = [];
  /** The answer to the newest PING: of many that come at once one is answered. */
  #pong: Uint8Array | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;
  #isOpen = false;

  constructor(socket: Deno.Conn, options: { readonly maxQueued: number; readonly handshakeMs: number }) {
    this.#socket = socket;
    this.#options = options;
  }

  get isSubscribed(): boolean {
    return this.#topics.length > 0;
  }

  /** Whether a message whose first frame is this is subscribed to. */
  wants(frame: Uint8Array): boolean {
    return this.#topics.some((topic) => beginsWith(frame, topic));
  }

  /** Sends an encoded message as soon as the socket takes it; drops it where too many wait already. */
  send(message: Uint8Array): void {
    if (this.#queue.length >= this.#options.maxQueued) return;
    this.#queue.push(message);
    this.#write();
  }

  end(cause: string): void {
    this.#end.abort(cause);
  }

  /** Shakes hands, then hears subscriptions, until the peer or `end` ends it; gives the cause, never rejects. */
  async run(): Promise<string> {
    const { signal } = this.#end;
    const { handshakeMs } = this.#options;
    using _ = onAbort(signal, () => this.#socket[Symbol.dispose]()); // Ends the read and the write under way.
    const limit = setTimeout(() => {
      if (!this.#isOpen) this.end(`no handshake within ${handshakeMs} ms`);
    }, handshakeMs);
    try {
      this.#urgent.push(greeting(1));
      this.#write();
      const buffer = new Uint8Array(CHUNK_BYTES);
      while (!signal.aborted) {
        const count = await this.#socket.read(buffer);
        if (count === null) throw new Error("closed by the subscriber");
        for (const received of this.#reader.read(buffer.subarray(0, count))) this.#take(received);
      }
    } catch (error) {
      this.end(errorText(error));
    }
    clearTimeout(limit);
    await this.#writing;
    return signal.reason;
  }

  #take(received: Received): void {
    if (received.kind === "greeting") {
      this.#urgent.push(ready("PUB"));
    } else if (!this.#isOpen) {
      this.#open(received);
    } else {
      const change = subscriptionChange(received);
      if (change !== undefined) this.#change(change);
      else if (received.kind === "command") this.#obey(received.name, received.data);
    }
    this.#write();
  }

  #open(received: Received): void {
    if (received.kind !== "command" || received.name !== "READY") {
      throw new Error("no READY after the greeting");
    }
    const type = peerSocketType(received.data);
    if (type !== "SUB" && type !== "XSUB") throw new Error(`the peer's socket is ${type}`);
    this.#isOpen = true;
  }

  #obey(name: string, data: Uint8Array): void {
    if (name === "ERROR") throw new Error(`the subscriber says ERROR: ${errorReason(data)}`);
    if (name === "PING") this.#pong = pong(data);
  }

  /** As many ends of a subscription are needed as it was made. */
  #change({ wanted, topic }: { readonly wanted: boolean; readonly topic: Uint8Array }): void {
    if (wanted) {
      if (this.#topics.length >= MAX_SUBSCRIPTIONS) {
        throw new Error(`more than ${MAX_SUBSCRIPTIONS} subscriptions`);
      }
      this.#topics.push(topic);
      return;
    }
    const at = this.#topics.findIndex((known) => known.length === topic.length && beginsWith(known, topic));
    if (at >= 0) this.#topics.splice(at, 1);
  }

  /** Begins to write what waits, unless that is under way. */
  #write(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#writing = this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    try {
      for (let bytes = this.#next(); bytes !== undefined; bytes = this.#next()) {
        for (let sent = 0; sent < bytes.length;) sent += await this.#socket.write(bytes.subarray(sent));
      }
    } catch (error) {
      this.end(errorText(error));
    }
    this.#isWriting = false;
  }

  #next(): Uint8Array | undefined {
    if (this.#end.signal.aborted) return undefined;
    const pong = this.#pong;
    const bytes = this.#urgent.shift() ?? pong ?? this.#queue.shift();
    if (bytes === pong) this.#pong = undefined;
    return bytes;
  }
}

function beginsWith(bytes: Uint8Array, first: Uint8Array): boolean {
  return bytes.length >= first.length && first.every((byte, n) => byte === bytes[n]);
}
