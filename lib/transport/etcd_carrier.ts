import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { within } from "../timing.ts";
import { type EtcdAddress, parseEndpoint } from "./etcd_address.ts";
import { FarewellReader } from "./etcd_farewell.ts";
import { socketCause } from "./socket_cause.ts";

/**
 * The connections to one etcd endpoint, as streams within this process. Nothing is listened on, so nobody else on this
 * machine can use them. Disposal closes them all.
 */
export class EtcdCarriers implements Disposable {
  readonly #target: EtcdAddress;
  readonly #connectMs: number;
  readonly #open = new Set<Carrier>();
  #isClosed = false;
  #failure: string | undefined;

  /** @param endpoint `http://HOST:PORT`, `https://HOST:PORT` or `HOST:PORT` */
  constructor(endpoint: string, { connectMs }: { readonly connectMs: number }) {
    this.#target = parseEndpoint(endpoint);
    this.#connectMs = connectMs;
  }

  /** Why the endpoint was last not reached. Undefined once it has spoken. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Opens one more connection. Rejects when that fails, or takes longer than `connectMs`. */
  async open(): Promise<Duplex> {
    let connection: Deno.Conn;
    try {
      connection = await connect(this.#target, this.#connectMs);
    } catch (error) {
      this.#failure = causeText(error, this.#target.hostname);
      throw error;
    }
    if (this.#isClosed) {
      close(connection);
      throw new Error("the client is closed");
    }
    const carrier = new Carrier(connection, (failure) => this.#failure = failure);
    this.#open.add(carrier);
    carrier.once("close", () => this.#open.delete(carrier));
    return carrier;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const carrier of this.#open) carrier.destroy();
  }
}

/**
 * A connection as npm:etcd3's gRPC wants it: what `net.Socket` is to it. It never emits an error, since gRPC takes its
 * listeners off and an error that nobody hears would end the process.
 */
class Carrier extends Duplex {
  readonly #connection: Deno.Conn;
  #onAsked = () => {};

  /** @param onWord called at the first bytes, and with the cause if reading fails before them */
  constructor(connection: Deno.Conn, onWord: (failure: string | undefined) => void) {
    super({ allowHalfOpen: false });
    this.#connection = connection;
    void this.#receive(onWord);
  }

  setNoDelay(): void {}

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    this.#onAsked();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    void this.#send(chunk).then(done);
  }

  override _writev(parts: { readonly chunk: Uint8Array }[], done: () => void): void {
    void this.#send(Buffer.concat(parts.map(({ chunk }) => chunk))).then(done);
  }

  override _destroy(_error: Error | null, done: () => void): void {
    close(this.#connection);
    this.#onAsked();
    done();
  }

  async #send(bytes: Uint8Array): Promise<void> {
    try {
      for (let sent = 0; sent < bytes.length;) sent += await this.#connection.write(bytes.subarray(sent));
    } catch {
      this.destroy(); // Reset or closed.
    }
  }

  /** Passes on what the server says until it ends, or says farewell. */
  async #receive(onWord: (failure: string | undefined) => void): Promise<void> {
    const buffer = new Uint8Array(65_536);
    const reader = new FarewellReader();
    let isFirst = true;
    try {
      for (let n = await this.#connection.read(buffer); n !== null; n = await this.#connection.read(buffer)) {
        if (this.destroyed) return;
        if (isFirst) onWord(undefined);
        isFirst = false;
        const good = reader.read(buffer.subarray(0, n));
        if (good > 0 && !this.push(Buffer.from(buffer.subarray(0, good)))) await this.#asked();
        if (good < n) break;
      }
    } catch (error) {
      if (isFirst && !this.destroyed) onWord(causeText(error));
    }
    if (!this.destroyed) this.push(null);
  }

  #asked(): Promise<void> {
    return new Promise((resolve) => this.#onAsked = resolve);
  }
}

/** Opens a connection, with the handshake of TLS if the address asks for it. */
async function connect(address: EtcdAddress, ms: number): Promise<Deno.Conn> {
  const opening: Promise<Deno.Conn> = address.secure ? connectTls(address) : connectTcp(address);
  try {
    return await within(opening, { ms, what: `connecting to ${address.hostname}:${address.port}` });
  } catch (error) {
    opening.then(close, () => {}); // It may still come.
    throw error;
  }
}

async function connectTcp({ hostname, port }: EtcdAddress): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname, port });
  // Without this, each of HTTP/2's small frames may wait 40 ms for the answer to the last one.
  connection.setNoDelay(true);
  return connection;
}

async function connectTls(address: EtcdAddress): Promise<Deno.TlsConn> {
  const { hostname } = address;
  const connection = await Deno.startTls(await connectTcp(address), { hostname, alpnProtocols: ["h2"] });
  try {
    await connection.handshake();
    return connection;
  } catch (error) {
    close(connection);
    throw error;
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}

function causeText(error: unknown, hostname = ""): string {
  return error instanceof Error ? socketCause(error, { hostname }) : String(error);
}
