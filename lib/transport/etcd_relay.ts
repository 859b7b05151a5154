import { within } from "../timing.ts";

/**
 * A port on the loopback that stands for one etcd endpoint and passes all bytes on but HTTP/2's word of farewell.
 *
 * A server that stops says GOAWAY, and Deno 2.9.6 dies of it (a SIGSEGV inside nghttp2, which no code here can catch:
 * denoland/deno#36788; seen at every hundredth stop of an etcd). So here the connection ends in its place, which gRPC
 * takes as it takes a killed server. To be removed, with its tests, once Deno has mended that.
 */
export class EtcdRelay implements Disposable {
  readonly #target: { readonly hostname: string; readonly port: number; readonly secure: boolean };
  readonly #connectMs: number;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.Conn>();
  #failure: string | undefined;

  /** @param endpoint `http://HOST:PORT`, `https://HOST:PORT` or `HOST:PORT` */
  constructor(endpoint: string, { connectMs }: { readonly connectMs: number }) {
    const url = new URL(endpoint.includes("://") ? endpoint : `http://${endpoint}`);
    const secure = url.protocol === "https:";
    const hostname = url.hostname.replace(/^\[|\]$/g, "");
    this.#target = { hostname, port: Number(url.port || (secure ? 443 : 80)), secure };
    this.#connectMs = connectMs;
    void this.#accept();
  }

  /** For the client to connect to: `127.0.0.1:PORT`. */
  get address(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Why the endpoint was last not reached, until it is. */
  get failure(): string | undefined {
    return this.#failure;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const connection of this.#connections) close(connection);
  }

  async #accept(): Promise<void> {
    try {
      for await (const near of this.#listener) void this.#relay(near);
    } catch {
      // The listener is closed.
    }
  }

  async #relay(near: Deno.Conn): Promise<void> {
    this.#connections.add(near);
    try {
      const far = await this.#connect();
      this.#failure = undefined;
      this.#connections.add(far);
      await Promise.race([pass(near, far), pass(far, near, new FarewellReader())]);
      close(far);
      this.#connections.delete(far);
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
    }
    close(near);
    this.#connections.delete(near);
  }

  #connect(): Promise<Deno.Conn> {
    const { hostname, port, secure } = this.#target;
    const connection = secure
      ? Deno.connectTls({ hostname, port, alpnProtocols: ["h2"] }).then(async (tls) => {
        await tls.handshake();
        return tls;
      })
      : Deno.connect({ hostname, port });
    return within<Deno.Conn>(connection, { ms: this.#connectMs, what: `connecting to ${hostname}:${port}` });
  }
}

/** Passes on what `from` says until it ends, or, with a reader, says farewell. */
async function pass(from: Deno.Conn, to: Deno.Conn, reader?: FarewellReader): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (let n = await from.read(buffer); n !== null; n = await from.read(buffer)) {
      const chunk = buffer.subarray(0, n);
      const good = reader === undefined ? n : reader.read(chunk);
      for (let sent = 0; sent < good;) sent += await to.write(chunk.subarray(sent, good));
      if (good < n) return;
    }
  } catch {
    // One of the two ends was reset or closed.
  }
}

const FRAME_HEADER_BYTES = 9;
const GOAWAY = 7;

/** Follows the frames that an HTTP/2 server sends (RFC 9113, 4.1), however they are cut into chunks. */
export class FarewellReader {
  readonly #header: number[] = [];
  #payloadLeft = 0;

  /** How many bytes of the next chunk come before a GOAWAY is known: all of them as a rule. */
  read(chunk: Uint8Array): number {
    for (let at = 0; at < chunk.length;) {
      if (this.#payloadLeft > 0) {
        const step = Math.min(this.#payloadLeft, chunk.length - at);
        this.#payloadLeft -= step;
        at += step;
        continue;
      }
      this.#header.push(chunk[at++]!);
      const [length2, length1, length0, type] = this.#header;
      if (type === GOAWAY) return Math.max(0, at - this.#header.length);
      if (this.#header.length < FRAME_HEADER_BYTES) continue;
      this.#payloadLeft = length2! * 65_536 + length1! * 256 + length0!;
      this.#header.length = 0;
    }
    return chunk.length;
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
