import { logger } from "../log.ts";
import { BackOff, type BackOffLimits, onAbort, sleep } from "../timing.ts";
import { type ConnectionState, Connectivity } from "./connectivity.ts";
import { errorText } from "./error_text.ts";
import type { Gate } from "./gate.ts";
import type { ReadSchedule } from "./read_schedule.ts";
import { SETTLED_MS } from "./outage.ts";
import { ZmqConnection } from "./zmq_connection.ts";

export interface ZmqSubscriberOptions {
  readonly host: string;
  readonly port: number;
  /** Prefixes of the first frame; `[""]` for all. */
  readonly topics: readonly string[];
  /** Called with all frames of one message; it should only take note. A throw is logged once and harms nothing. */
  readonly onMessage: (frames: readonly Uint8Array[]) => void;
  /** Told of each change of `connected`. */
  readonly onChange?: () => void;
  readonly signal: AbortSignal;
  /** When the socket is read again, while TCP holds what comes; at once without this. */
  readonly reads?: ReadSchedule;
  /** How long connect and handshake may take. Default 2000. */
  readonly connectMs?: number;
  /** A PING goes out after so long a silence, and the connection ends after a second one unanswered. Default 1000. */
  readonly heartbeatMs?: number;
  /** Each try waits for a place in it, behind others where the last one failed, and holds it until the handshake's end. */
  readonly handshakes?: Gate;
  /** The pauses between tries. Default 100 ms to 5 s. */
  readonly backOff?: BackOffLimits;
  /** A message larger than this ends the connection. Default 1 MiB (sum of its frames). */
  readonly maxMessageBytes?: number;
}

const DEFAULTS = {
  connectMs: 2_000,
  heartbeatMs: 1_000,
  backOff: { firstMs: 100, maxMs: 5_000 },
  maxMessageBytes: 1_048_576,
} as const;

/**
 * A subscription to one ZeroMQ publisher that is sought for ever, without libzmq. What the publisher says while there is
 * no connection is lost, as with any SUB socket.
 */
export class ZmqSubscriber implements AsyncDisposable {
  readonly #options: ZmqSubscriberOptions & Required<Pick<ZmqSubscriberOptions, keyof typeof DEFAULTS>>;
  readonly #stop = new AbortController();
  readonly #log = logger("transport");
  readonly #running: Promise<void>;
  readonly #connectivity = new Connectivity();
  #threw = false;

  constructor(options: ZmqSubscriberOptions) {
    this.#options = { ...DEFAULTS, ...options };
    this.#running = this.#run();
  }

  /** True once the handshake is done and the subscription is sent. */
  get connected(): boolean {
    return this.#connectivity.state.connected;
  }

  /** The same, with why not and since when. */
  get state(): ConnectionState {
    return this.#connectivity.state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    using _ = onAbort(this.#options.signal, () => this.#stop.abort());
    const { signal } = this.#stop;
    const { host, port } = this.#options;
    const backOff = new BackOff(this.#options.backOff);
    let said: string | undefined;
    let again = false;
    while (!signal.aborted) {
      const { cause, opened, settled } = await this.#connect(signal, again);
      if (signal.aborted) return;
      again = !opened;
      if (opened || cause !== said) this.#log.debug("No connection to a publisher", { host, port, cause });
      said = cause;
      if (settled) backOff.reset();
      await sleep(backOff.next(), { signal });
    }
  }

  /** Holds one connection until it ends. `settled`: it brought a message, or stood for some time. */
  async #connect(
    signal: AbortSignal,
    again: boolean,
  ): Promise<{ cause: string; opened: boolean; settled: boolean }> {
    let openedMs: number | undefined;
    let isHeard = false;
    using place = await this.#options.handshakes?.enter(signal, { again });
    const cause = await new ZmqConnection({
      ...this.#options,
      signal,
      onOpen: () => {
        place?.[Symbol.dispose]();
        openedMs = performance.now();
        this.#set(true);
      },
      onMessage: (frames) => {
        isHeard = true;
        this.#call(() => this.#options.onMessage(frames));
      },
    }).run();
    this.#set(false, cause);
    const opened = openedMs !== undefined;
    return { cause, opened, settled: isHeard || performance.now() - (openedMs ?? Infinity) >= SETTLED_MS };
  }

  #set(connected: boolean, cause?: string): void {
    const isChange = connected !== this.connected;
    if (connected) this.#connectivity.up();
    else this.#connectivity.down(cause);
    if (!isChange) return;
    this.#call(() => this.#options.onChange?.());
  }

  /** What the listener does wrong is said once, and no reason to end. */
  #call(act: () => void): void {
    try {
      act();
    } catch (error) {
      const { host, port } = this.#options;
      const cause = errorText(error);
      if (!this.#threw) this.#log.error("Cannot take what a publisher brings", { host, port, cause });
      this.#threw = true;
    }
  }
}
