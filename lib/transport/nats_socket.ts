import { setImmediate } from "node:timers";
import type { ConnectionOptions, NatsConnection } from "nats";
import {
  NatsConnectionImpl,
  setTransportFactory,
  type Transport,
} from "nats/lib/nats-base-client/internal_mod.js";
import { closeQuietly, type GreetedConnection } from "./nats_dial.ts";
import { socketCause } from "./socket_cause.ts";

/** How much is taken in a turn of the event loop: of answers with load, what takes 2 ms to read. */
const TURN_BYTES = 256 * 1024;

const CHUNK_BYTES = 65_536;

/** Logs in to the server that greeted us. */
export function logIn(
  greeted: GreetedConnection,
  options: Omit<ConnectionOptions, "servers">,
): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new NatsSocket() });
  const withGreeted: Greeted = { ...options, [GREETED]: greeted };
  return NatsConnectionImpl.connect(withGreeted);
}

/** npm:nats' options, as they come back to its socket, with the connection that is there already. */
type Greeted = ConnectionOptions & { readonly [GREETED]?: GreetedConnection };
const GREETED = "greeted";

/**
 * What npm:nats speaks through, in place of its own socket of Node's: that one has moments in which nobody listens to its errors,
 * and an alert of TLS that comes then would end the process. Here every failure is the rejection of a read or a write.
 *
 * What comes is taken in slices: npm:nats takes what it gets at once, and a third of ten thousand answers may have come.
 */
class NatsSocket implements Transport {
  readonly lang = "nats.js";
  readonly version = "2.29.3";
  readonly #closed = Promise.withResolvers<void>();
  readonly #queue: Uint8Array[] = [];
  #greeted: GreetedConnection | undefined;
  #isWriting = false;
  #isClosed = false;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws when somebody else asked npm:nats for a connection in the same moment: it has another socket by default */
  connect(_server: unknown, options: Greeted): Promise<void> {
    this.#greeted = options[GREETED];
    return this.#greeted ? Promise.resolve() : Promise.reject(new Error("not greeted"));
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    if (this.#greeted === undefined) return;
    yield this.#greeted.greeting;
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (let taken = 0, n; (n = await this.#read(buffer)) > 0;) {
      yield buffer.slice(0, n);
      taken += n;
      if (taken < TURN_BYTES) continue;
      taken = 0;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.disconnect();
  }

  isEncrypted(): boolean {
    return this.#greeted?.isEncrypted ?? false;
  }

  /** Sends, in order. What cannot be sent is left: the end of the connection is known by reading, or by pings. */
  send(frame: Uint8Array): void {
    if (this.#isClosed) return;
    this.#queue.push(frame);
    if (!this.#isWriting) void this.#write();
  }

  close(): Promise<void> {
    this.disconnect();
    return Promise.resolve();
  }

  disconnect(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#greeted) closeQuietly(this.#greeted.connection);
    this.#closed.resolve();
  }

  closed(): Promise<void> {
    return this.#closed.promise;
  }

  discard(): void {}

  /** How many bytes came; 0 at the end, whatever ended it. */
  async #read(buffer: Uint8Array): Promise<number> {
    const greeted = this.#greeted!;
    try {
      const bytes = await greeted.connection.read(buffer) ?? 0;
      greeted.onRead?.();
      return bytes;
    } catch (error) {
      if (!this.#isClosed && !(error instanceof Deno.errors.UnexpectedEof)) {
        greeted.failure = socketCause(error as Error, { hostname: "" });
      }
      return 0;
    }
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      for (let frame; (frame = this.#queue.shift()) !== undefined;) {
        for (let sent = 0; sent < frame.length;) {
          sent += await this.#greeted!.connection.write(frame.subarray(sent));
        }
      }
      this.#isWriting = false;
    } catch {
      this.#queue.length = 0; // And `#isWriting` stays: nothing more is written.
    }
  }
}
