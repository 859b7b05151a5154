import { greeting, ready, type Received, ZmtpReader } from "../../lib/transport/zmtp.ts";

/** One connection to a peer of our own making. */
export class PeerConnection {
  readonly #heard: AsyncGenerator<Received, void>;

  constructor(private readonly socket: Deno.Conn) {
    this.#heard = hear(socket);
  }

  /** The next that the subscriber says; undefined when it has ended the connection. */
  async next(): Promise<Received | undefined> {
    return (await this.#heard.next()).value ?? undefined;
  }

  /** Resolves when the subscriber has ended the connection. */
  async ended(): Promise<void> {
    while (await this.next());
  }

  async write(...parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      for (let sent = 0; sent < part.length;) sent += await this.socket.write(part.subarray(sent));
    }
  }
}

async function* hear(socket: Deno.Conn): AsyncGenerator<Received, void> {
  const reader = new ZmtpReader({ maxMessageBytes: 1_000 });
  const buffer = new Uint8Array(1_000);
  for (let n = await socket.read(buffer); n !== null; n = await socket.read(buffer)) {
    yield* reader.read(buffer.subarray(0, n));
  }
}

/** Shakes hands as libzmq does; resolves when the subscription has come. */
export async function welcome(connection: PeerConnection): Promise<Received[]> {
  const said: Received[] = [];
  await connection.write(greeting());
  said.push((await connection.next())!, (await connection.next())!);
  await connection.write(ready("PUB"));
  said.push((await connection.next())!);
  return said;
}

/**
 * A publisher of our own making on a free port of this machine: `play` says
 * what happens on each new connection, which it ends.
 */
export class ZmtpPeer implements Disposable {
  readonly port: number;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.Conn>();
  /** When each connection came, in milliseconds. */
  readonly connectedAtMs: number[] = [];

  constructor(public play: (connection: PeerConnection) => Promise<void>) {
    this.port = this.#listener.addr.port;
    void this.#accept();
  }

  get connections(): number {
    return this.connectedAtMs.length;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const socket of this.#open) socket[Symbol.dispose]();
  }

  async #accept(): Promise<void> {
    try {
      for await (const socket of this.#listener) void this.#serve(socket);
    } catch {
      // The listener is closed.
    }
  }

  async #serve(socket: Deno.Conn): Promise<void> {
    this.connectedAtMs.push(performance.now());
    this.#open.add(socket);
    await this.play(new PeerConnection(socket)).catch(() => {}); // The subscriber may end it at any time.
    socket[Symbol.dispose]();
    this.#open.delete(socket);
  }
}
