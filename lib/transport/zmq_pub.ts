import { logger } from "../log.ts";
import { sleep } from "../timing.ts";
import { ZmqPubConnection } from "./zmq_pub_connection.ts";
import { encodeMessage } from "./zmtp.ts";

export interface ZmqPublisherOptions {
  /** Where it listens; default on all addresses of the machine. */
  readonly host?: string;
  /** Default 0, a free one. */
  readonly port?: number;
  /** So many messages wait for a subscriber that reads slowly; further ones it loses. Default 1000, as in libzmq. */
  readonly maxQueued?: number;
  /** How long a connection may take for its handshake. Default 30 s, as in libzmq. */
  readonly handshakeMs?: number;
}

/** How long to wait when no connection can be taken, as without file descriptors. */
const ACCEPT_AGAIN_MS = 100;

/** A ZeroMQ PUB socket, without libzmq: each message goes to all whose subscription it begins with, and is not kept. */
export class ZmqPublisher implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #options: Required<Pick<ZmqPublisherOptions, "maxQueued" | "handshakeMs">>;
  readonly #connections = new Map<ZmqPubConnection, Promise<string>>();
  readonly #stop = new AbortController();
  readonly #accepting: Promise<void>;
  readonly #log = logger("transport");

  /** Listens at once. Throws what `Deno.listen` throws. */
  constructor(options: ZmqPublisherOptions = {}) {
    const { host = "0.0.0.0", port = 0, maxQueued = 1_000, handshakeMs = 30_000 } = options;
    this.#options = { maxQueued, handshakeMs };
    this.#listener = Deno.listen({ hostname: host, port });
    this.#accepting = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** How many have subscribed to something. */
  get subscribers(): number {
    return this.#connections.keys().filter((connection) => connection.isSubscribed).toArray().length;
  }

  /** Sends a message of one frame or more; never waits, and never throws. */
  send(frames: readonly Uint8Array[]): void {
    let message: Uint8Array | undefined;
    for (const connection of this.#connections.keys()) {
      if (connection.wants(frames[0]!)) connection.send(message ??= encodeMessage(frames));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return await this.#accepting;
    this.#stop.abort();
    this.#listener.close();
    for (const connection of this.#connections.keys()) connection.end("stopped");
    await Promise.all([this.#accepting, ...this.#connections.values()]);
  }

  async #accept(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        this.#serve(await this.#listener.accept());
      } catch {
        await sleep(ACCEPT_AGAIN_MS, { signal });
      }
    }
  }

  #serve(socket: Deno.TcpConn): void {
    const { hostname, port } = socket.remoteAddr;
    const connection = new ZmqPubConnection(socket, this.#options);
    const running = connection.run().then((cause) => {
      this.#connections.delete(connection);
      this.#log.debug("A subscriber is gone", { host: hostname, port, cause });
      return cause;
    });
    this.#connections.set(connection, running);
    if (this.#stop.signal.aborted) connection.end("stopped");
  }
}
