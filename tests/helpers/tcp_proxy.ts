/** A TCP proxy on a free port, whose network can be cut, or made to hang with both ends open. */
export class TcpProxy implements Disposable {
  readonly port: number;
  readonly #target: { readonly hostname: string; readonly port: number };
  readonly #connections = new Set<Deno.Conn>();
  #listener: Deno.TcpListener | undefined;
  #flowing = Promise.withResolvers<void>();

  constructor(target: { hostname: string; port: number }) {
    this.#target = target;
    this.#flowing.resolve();
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#accept(this.#listener);
  }

  /** How many connections pass through it. */
  get open(): number {
    return this.#connections.size / 2;
  }

  /** Ends all connections and refuses new ones. */
  cut(): void {
    this.#listener?.close();
    this.#listener = undefined;
    this.drop();
  }

  /** Ends all connections; new ones pass. */
  drop(): void {
    for (const connection of this.#connections) close(connection);
  }

  /** Keeps all connections open and passes nothing on. */
  hang(): void {
    this.#flowing = Promise.withResolvers();
  }

  /** Undoes `cut` and `hang`. */
  restore(): void {
    this.#flowing.resolve();
    if (this.#listener) return;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: this.port });
    this.#accept(this.#listener);
  }

  [Symbol.dispose](): void {
    this.cut();
    this.#flowing.resolve();
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    for await (const near of listener) {
      const far = await Deno.connect(this.#target).catch(() => undefined);
      if (far === undefined) {
        close(near);
        continue;
      }
      this.#pass(near, far);
      this.#pass(far, near);
    }
  }

  async #pass(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    this.#connections.add(from);
    try {
      const buffer = new Uint8Array(65_536);
      for (let n = await from.read(buffer); n !== null; n = await from.read(buffer)) {
        await this.#flowing.promise;
        for (let sent = 0; sent < n;) sent += await to.write(buffer.subarray(sent, n));
      }
    } catch {
      // Cut on one side or the other.
    }
    this.#connections.delete(from);
    close(to);
    close(from);
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
