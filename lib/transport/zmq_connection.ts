import { onAbort, within } from "../timing.ts";
import { errorText } from "./error_text.ts";
import type { ReadSchedule, ReadTurn } from "./read_schedule.ts";
import {
  errorReason,
  greeting,
  peerSocketType,
  ping,
  pong,
  ready,
  subscription,
  ZmtpReader,
} from "./zmtp.ts";
import type { Received } from "./zmtp.ts";

/** As much as one read takes: little at first, since most publishers say little, and more for one that fills that. */
const FIRST_CHUNK_BYTES = 16_384;
const MAX_CHUNK_BYTES = 262_144;
/** What we send is small: a peer that does not take it for so long does not read at all. */
const SEND_MS = 2_000;
/** So many PINGs without a word after them, and the peer is not there. */
const MAX_UNANSWERED = 2;
/** A heartbeat that comes after so many times its interval is late. */
const LATE = 1.5;

export interface ZmqConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** Prefixes of the first frame. */
  readonly topics: readonly string[];
  /** When the socket is read again; at once without this. */
  readonly reads?: ReadSchedule;
  readonly connectMs: number;
  readonly heartbeatMs: number;
  readonly maxMessageBytes: number;
  readonly signal: AbortSignal;
  /** The handshake is done and the subscription is sent. Must not throw. */
  readonly onOpen: () => void;
  /** Must not throw. */
  readonly onMessage: (frames: readonly Uint8Array[]) => void;
}

/** One connection to a PUB socket, from the connect to its end. It sends PINGs, since a publisher may be idle for hours. */
export class ZmqConnection {
  readonly #options: ZmqConnectionOptions;
  readonly #reader: ZmtpReader;
  /** Aborted with the cause of the end, which is whatever comes first. */
  readonly #end = new AbortController();
  /** What the handshake has us say. */
  readonly #outbox: Uint8Array[] = [];
  /** The answer to the newest PING, as libzmq has it: of many that come at once one is answered. */
  #pong: Uint8Array | undefined;
  #sending: Promise<void> = Promise.resolve();
  /** Ends the rest between two reads. */
  #resume = () => {};
  /** Whatever comes is read at once. */
  #isReading = false;
  /** Heartbeats since the last bytes. */
  #beats = 0;
  #state: "greeting" | "handshake" | "subscribing" | "open" = "greeting";

  constructor(options: ZmqConnectionOptions) {
    this.#options = options;
    this.#reader = new ZmtpReader(options);
  }

  /** Connects, subscribes and reads until the signal is aborted or something fails; gives the cause, never rejects. */
  async run(): Promise<string> {
    const { host, port, connectMs, signal } = this.#options;
    using _ = onAbort(signal, () => this.#fail("stopped"));
    const limit = setTimeout(() => {
      if (this.#state !== "open") this.#fail(`no handshake within ${connectMs} ms`);
    }, connectMs);
    try {
      using socket = await Deno.connect({ hostname: host, port, signal: this.#end.signal });
      using _ = onAbort(this.#end.signal, () => socket[Symbol.dispose]()); // Ends the reads and writes under way.
      await this.#serve(socket);
    } catch (error) {
      this.#fail(errorText(error));
    }
    clearTimeout(limit);
    await this.#sending.catch(() => {});
    return this.#end.signal.reason;
  }

  #fail(cause: string): void {
    this.#end.abort(cause);
    this.#resume();
  }

  async #serve(socket: Deno.Conn): Promise<void> {
    const { reads, onOpen } = this.#options;
    const { signal } = this.#end;
    using turn = reads?.enter();
    await this.#send(socket, greeting());
    using _ = this.#watch(socket);
    let buffer = new Uint8Array(FIRST_CHUNK_BYTES);
    while (!signal.aborted) {
      this.#isReading = true;
      const count = await socket.read(buffer);
      this.#isReading = false;
      if (count === null) throw new Error("closed by the publisher");
      this.#beats = 0;
      for (const received of this.#reader.read(buffer.subarray(0, count))) {
        if (signal.aborted) return;
        this.#take(received);
      }
      for (const bytes of this.#outbox.splice(0)) await this.#send(socket, bytes);
      if (this.#pong) await this.#send(socket, this.#pong);
      this.#pong = undefined;
      if (this.#state === "subscribing") {
        this.#state = "open";
        onOpen();
      }
      if (count === buffer.length && count < MAX_CHUNK_BYTES) buffer = new Uint8Array(2 * count);
      if (this.#state === "open" && turn !== undefined) await this.#rest(turn);
    }
  }

  /** Waits for its turn, or for the end. */
  #rest(turn: ReadTurn): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resume = resolve;
    turn.next(resolve);
    return promise;
  }

  /**
   * On an open connection a silence is asked into, and ends it when that is not answered. It counts only while this program
   * can hear: not while the connection rests, nor when the event loop was late, since what came may not have been read.
   */
  #watch(socket: Deno.Conn): Disposable {
    const { heartbeatMs } = this.#options;
    let lastMs = performance.now();
    const timer = setInterval(() => {
      const passedMs = performance.now() - lastMs;
      lastMs += passedMs;
      if (this.#state !== "open" || !this.#isReading || passedMs > LATE * heartbeatMs) return;
      if (this.#beats++ === 0) return;
      if (this.#beats > MAX_UNANSWERED + 1) {
        return this.#fail(`silent, and ${MAX_UNANSWERED} PINGs unanswered`);
      }
      this.#send(socket, ping()).catch((error) => this.#fail(error.message));
    }, heartbeatMs);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** One after the other, since a write may take a part only. */
  #send(socket: Deno.Conn, bytes: Uint8Array): Promise<void> {
    const write = async () => {
      for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
    };
    this.#sending = within(this.#sending.then(write), { ms: SEND_MS, what: "sending" });
    return this.#sending;
  }

  #take(received: Received): void {
    if (received.kind === "greeting") {
      this.#state = "handshake";
      this.#outbox.push(ready("SUB"));
    } else if (received.kind === "message") {
      if (this.#state === "handshake") throw new Error("a message before READY");
      this.#options.onMessage(received.frames);
    } else this.#obey(received.name, received.data);
  }

  #obey(name: string, data: Uint8Array): void {
    if (name === "ERROR") throw new Error(`the publisher says ERROR: ${errorReason(data)}`);
    if (this.#state === "handshake") {
      if (name !== "READY") throw new Error(`${name} before READY`);
      const type = peerSocketType(data);
      if (type !== "PUB" && type !== "XPUB") throw new Error(`the peer's socket is ${type}`);
      this.#state = "subscribing";
      this.#outbox.push(...this.#options.topics.map(subscription));
    } else if (name === "PING") {
      this.#pong = pong(data);
    }
  }
}
