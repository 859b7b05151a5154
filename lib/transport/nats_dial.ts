import { onAbort } from "../timing.ts";
import type { NatsAddress } from "./nats_address.ts";
import { socketCause } from "./socket_cause.ts";

/** A connection to a server that has greeted us; nothing was said to it yet, but for TLS. */
export interface GreetedConnection {
  readonly connection: Deno.Conn;
  readonly isEncrypted: boolean;
  /** What came: the greeting, and what may stand after it. */
  readonly greeting: Uint8Array;
  /** Told of every time that something was read of it. */
  onRead?: () => void;
  /** Why the connection ended later, where it was neither us nor a plain end by the server; said by who reads it. */
  failure?: string;
}

/** Why a server was not reached. The message is for people. */
export class DialError extends Error {
  override readonly name = "DialError";
}

export interface DialOptions {
  /** The longest time until the greeting; a server that is quiet for a quarter of it gets as much again for TLS. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/**
 * Connects to a NATS server, and begins TLS where the server or the address asks for it. A server greets in plain text and
 * then begins TLS, as is usual, or begins with TLS: that is tried too where the server is quiet for a while.
 *
 * An alert may be lost: a server that says one ends the connection, and what we still write then fails first. So if a handshake
 * ends without a reason the server is asked once more.
 *
 * @throws {DialError}
 */
export async function dialNats(address: NatsAddress, options: DialOptions): Promise<GreetedConnection> {
  try {
    return await dialOnce(address, options);
  } catch (error) {
    if (!(error instanceof HandshakeEnd) || options.signal.aborted) throw error;
    return await dialOnce(address, options);
  }
}

/** What is known of a connection that ended. */
const END_ERRORS = [
  Deno.errors.UnexpectedEof,
  Deno.errors.BrokenPipe,
  Deno.errors.ConnectionReset,
  Deno.errors.ConnectionAborted,
];

/** The connection ended in the handshake, without a reason. */
class HandshakeEnd extends DialError {}

/** A server that is quiet may wait for TLS: another connection finds out, while this one waits on. */
async function dialOnce(address: NatsAddress, { limitMs, signal }: DialOptions): Promise<GreetedConnection> {
  using open = new OpenConnections(signal);
  const quiet = Promise.withResolvers<boolean>();
  const usual = dialAsUsual(address, { limitMs, signal, open, onWord: () => quiet.resolve(false) })
    .finally(() => quiet.resolve(false));
  const timer = setTimeout(() => quiet.resolve(true), limitMs / 4);
  const tlsFirst = quiet.promise.then((isQuiet) =>
    isQuiet ? dialTlsFirst(address, { limitMs, signal, open }) : undefined
  );
  usual.catch(() => {});
  tlsFirst.catch(() => {});
  try {
    return open.keep(await eitherOf(usual, tlsFirst));
  } finally {
    clearTimeout(timer);
  }
}

/** What the one gives that succeeds first. Where both fail, TLS tells the cause only if the other end speaks it. */
async function eitherOf(
  usual: Promise<GreetedConnection>,
  tlsFirst: Promise<GreetedConnection | undefined>,
): Promise<GreetedConnection> {
  const isKnown = (error: unknown) => error instanceof TlsRefusal;
  try {
    return await Promise.any([usual, tlsFirst.then((greeted) => greeted ?? usual)]);
  } catch {
    const refusal: unknown = await tlsFirst.then(
      () => undefined,
      (error) => isKnown(error) ? error : undefined,
    );
    if (refusal !== undefined) throw refusal;
    return await usual;
  }
}

interface Dialling extends DialOptions {
  readonly open: OpenConnections;
}

async function dialAsUsual(
  address: NatsAddress,
  { limitMs, signal, open, onWord }: Dialling & { readonly onWord: () => void },
): Promise<GreetedConnection> {
  const left = timeLeft(limitMs);
  const tcp = open.add(await connect(address, { ms: left(), signal }));
  const greeting = await readGreeting(tcp, { ms: left(), onLate: () => open.end(tcp), onWord });
  return await secured(tcp, { address, greeting, open, ms: left() });
}

async function dialTlsFirst(
  address: NatsAddress,
  { limitMs, signal, open }: Dialling,
): Promise<GreetedConnection> {
  const left = timeLeft(limitMs);
  const tcp = open.add(await connect(address, { ms: left(), signal }));
  const tls = await handshake(tcp, { address, open, ms: left() });
  const greeting = await readGreeting(tls, { ms: left(), onLate: () => open.end(tls) });
  return { connection: tls, isEncrypted: true, greeting };
}

/** How many of so many ms are left. */
function timeLeft(ms: number): () => number {
  const sinceMs = performance.now();
  return () => Math.max(0, ms - (performance.now() - sinceMs));
}

/** The other end speaks TLS, and it or we refused the other's certificate. */
class TlsRefusal extends DialError {}

/** The connections of one dialling: all but the one that is kept are closed. */
class OpenConnections implements Disposable {
  readonly #open = new Set<Deno.Conn>();
  readonly #watch: Disposable;
  #isOver = false;

  constructor(signal: AbortSignal) {
    this.#watch = onAbort(signal, () => this.#closeAll());
  }

  add<Connection extends Deno.Conn>(connection: Connection): Connection {
    this.#open.add(connection);
    if (this.#isOver) this.#closeAll();
    return connection;
  }

  /** The one became the other: TLS took it over. */
  replace<Connection extends Deno.Conn>(old: Deno.Conn, by: Connection): Connection {
    this.#open.delete(old);
    return this.add(by);
  }

  end(connection: Deno.Conn): void {
    if (this.#open.delete(connection)) closeQuietly(connection);
  }

  keep(greeted: GreetedConnection): GreetedConnection {
    this.#open.delete(greeted.connection);
    return greeted;
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    this.#closeAll();
  }

  #closeAll(): void {
    this.#isOver = true;
    for (const connection of this.#open) this.end(connection);
  }
}

async function connect(
  { hostname, port }: NatsAddress,
  { ms, signal }: { readonly ms: number; readonly signal: AbortSignal },
): Promise<Deno.TcpConn> {
  const limit = AbortSignal.timeout(Math.ceil(ms));
  try {
    const tcp = await Deno.connect({ hostname, port, signal: AbortSignal.any([limit, signal]) });
    tcp.setNoDelay(true);
    return tcp;
  } catch (error) {
    if (limit.aborted) throw new DialError(`no connection within ${Math.round(ms)} ms`);
    throw dialError(error as Error, hostname);
  }
}

/** Begins TLS where the greeting or the address asks for it. */
async function secured(
  tcp: Deno.TcpConn,
  { address, greeting, open, ms }: {
    readonly address: NatsAddress;
    readonly greeting: Uint8Array;
    readonly open: OpenConnections;
    readonly ms: number;
  },
): Promise<GreetedConnection> {
  const { tls_required: isRequired, tls_available: isAvailable } = greetingIn(greeting);
  const offersTls = isRequired === true || isAvailable === true;
  if (!offersTls && address.needsTls) throw new DialError("the server offers no TLS, as tls:// asks");
  if (!offersTls) return { connection: tcp, isEncrypted: false, greeting };
  return { connection: await handshake(tcp, { address, open, ms }), isEncrypted: true, greeting };
}

async function handshake(
  tcp: Deno.TcpConn,
  { address: { hostname, tlsName }, open, ms }: {
    readonly address: NatsAddress;
    readonly open: OpenConnections;
    readonly ms: number;
  },
): Promise<Deno.TlsConn> {
  let isLate = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const tls = open.replace(tcp, await Deno.startTls(tcp, { hostname: tlsName }));
    timer = setTimeout(() => {
      isLate = true;
      open.end(tls);
    }, ms);
    await tls.handshake();
    return tls;
  } catch (error) {
    if (isLate) throw new DialError("the TLS handshake did not end in time");
    if (END_ERRORS.some((End) => error instanceof End)) {
      throw new HandshakeEnd("the server ended the connection in the TLS handshake");
    }
    throw dialError(error as Error, hostname);
  } finally {
    clearTimeout(timer);
  }
}

/** How long a greeting may be; a cluster of a thousand servers has 30 KB. */
const MAX_GREETING = 1_048_576;

/** Reads until the first line is whole, and makes sense. */
async function readGreeting(
  connection: Deno.Conn,
  { ms, onLate, onWord = () => {} }: {
    readonly ms: number;
    readonly onLate: () => void;
    readonly onWord?: () => void;
  },
): Promise<Uint8Array> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    onLate();
  }, ms);
  const buffer = new Uint8Array(65_536);
  let text: Uint8Array<ArrayBuffer> = new Uint8Array();
  try {
    for (let n; (n = await connection.read(buffer)) !== null;) {
      onWord();
      const longer = new Uint8Array(text.length + n);
      longer.set(text);
      longer.set(buffer.subarray(0, n), text.length);
      text = longer;
      if (!isBeginning(text)) throw new DialError("the other end does not speak NATS");
      if (text.includes(LF)) {
        greetingIn(text);
        return text;
      }
      if (text.length > MAX_GREETING) throw new DialError("the greeting of the server has no end");
    }
  } catch (error) {
    if (error instanceof DialError) throw error;
    if (isLate) throw new DialError("no greeting of NATS came in time");
    throw dialError(error as Error);
  } finally {
    clearTimeout(timer);
  }
  throw new DialError("the server ended the connection without a greeting");
}

const LF = 10;
const INFO = new TextEncoder().encode("INFO ");

function isBeginning(text: Uint8Array): boolean {
  return INFO.every((byte, n) => n >= text.length || text[n] === byte);
}

/** What a server says of itself. npm:nats cannot do without a version. */
function greetingIn(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let info: Record<string, unknown> | null;
  try {
    info = JSON.parse(new TextDecoder().decode(bytes.subarray(INFO.length, bytes.indexOf(LF))));
  } catch {
    throw new DialError("the greeting of the server cannot be read");
  }
  if (typeof info !== "object" || info === null) {
    throw new DialError("the greeting of the server cannot be read");
  }
  const { version } = info;
  if (typeof version === "string" && /\d+\.\d+\.\d+/.test(version)) return info;
  throw new DialError("the greeting of the server names no version");
}

function dialError(error: Error, hostname = ""): DialError {
  const isRefusal = /^invalid peer certificate|^received fatal alert/.test(error.message);
  return new (isRefusal ? TlsRefusal : DialError)(socketCause(error, { hostname }));
}

export function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
