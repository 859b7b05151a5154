import { createInbox, ErrorCode, Events, type NatsConnection } from "nats";
import { logger } from "../log.ts";
import { BackOff, onAbort, sleep, type Span, Streak } from "../timing.ts";
import { type ConnectionState, Connectivity } from "./connectivity.ts";
import { type NatsAuth, natsAuthenticator } from "./nats_auth.ts";
import { type NatsAddress, NatsServers } from "./nats_address.ts";
import { closeQuietly, dialNats, type GreetedConnection } from "./nats_dial.ts";
import type { NatsMessage } from "./nats_message.ts";
import { innerOf } from "./nats_inner.ts";
import { NatsReader } from "./nats_reader.ts";
import { logIn } from "./nats_socket.ts";
import { Outage, SETTLED_MS } from "./outage.ts";

/** Why a message was not sent. A closed set: it becomes a label. */
export const SKIP_REASONS = ["max_payload", "permission", "disconnected"] as const;
export type SkipReason = typeof SKIP_REASONS[number];

export interface NatsOptions {
  /** `nats://HOST[:PORT]` or `tls://HOST[:PORT]`; the first that answers is taken. */
  readonly servers: readonly string[];
  /** What the servers see as the client's name. */
  readonly name: string;
  readonly auth: NatsAuth;
  readonly signal: AbortSignal;
  /** How often the server is pinged; if nothing comes after two pings in a row the connection ends. */
  readonly pingIntervalMs?: number;
}

/** Told of every change of the connection and of every refusal by the server. */
export interface NatsListener {
  readonly onChange?: () => void;
  /** The server refused us a subject. */
  readonly onRefused?: (operation: string, subject: string) => void;
}

/** A server that took our login. */
interface Login {
  readonly connection: NatsConnection;
  readonly greeted: GreetedConnection;
  readonly address: NatsAddress;
}

interface OpenConnection {
  readonly connection: NatsConnection;
  readonly reader: NatsReader;
  /** When something came from the server, which is pinged all the time. */
  readonly heard: Streak;
}

interface Subscription {
  readonly subject: string;
  readonly handle: (message: NatsMessage) => void;
  /** Ends it on the present connection. */
  end: (() => void) | undefined;
}

/**
 * A connection to NATS that is sought for ever: subscriptions made once are made again on each new connection, and
 * nothing is kept to be sent later.
 *
 * npm:nats' own reconnecting is not used: it buffers what is published meanwhile, gives up after two refused logins,
 * and behaves otherwise at the first connect than later.
 */
export class NatsLink implements AsyncDisposable {
  readonly #options: NatsOptions;
  readonly #servers: NatsServers;
  readonly #subscriptions = new Set<Subscription>();
  readonly #running: Promise<void>;
  readonly #stop = new AbortController();
  readonly #log = logger("transport");
  readonly #listeners = new Set<NatsListener>();
  readonly #connectivity = new Connectivity();
  #open: OpenConnection | undefined;
  #connects = 0;
  #refused = new Set<string>();
  /** The server answered no pings, so we gave the connection up. */
  #isStale = false;
  /** Whether it is worth a warning that the server is away. */
  isNeeded = () => true;

  constructor(options: NatsOptions) {
    this.#options = options;
    this.#servers = new NatsServers(options.servers);
    this.#running = this.#run(AbortSignal.any([options.signal, this.#stop.signal]));
  }

  get connected(): boolean {
    return this.#open !== undefined;
  }

  /** Whether it stands, why not, and since when. */
  get state(): ConnectionState {
    return this.#connectivity.state;
  }

  /** When the server was heard without a break, by `performance.now()`; undefined without a connection. */
  get heard(): Span | undefined {
    return this.#open?.heard.span;
  }

  /** What the server refused us on this connection, each once: `publish SUBJECT`, `subscription SUBJECT`; all inboxes are one. */
  get refused(): readonly string[] {
    return this.#open === undefined ? [] : [...this.#refused];
  }

  /** How many connections came after the first. */
  get reconnects(): number {
    return Math.max(0, this.#connects - 1);
  }

  /** How many bytes a message may have; no limit is known while there is no connection. */
  get maxPayload(): number {
    return this.#open?.connection.info?.max_payload ?? Infinity;
  }

  /** Tells `listener` until the result is disposed of. */
  listen(listener: NatsListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** A subject of our own, for answers. */
  inbox(): string {
    return createInbox();
  }

  /** Calls `handle` with each message at `subject` until the result is disposed of. */
  subscribe(subject: string, handle: (message: NatsMessage) => void): Disposable {
    const subscription: Subscription = { subject, handle, end: undefined };
    this.#subscriptions.add(subscription);
    if (this.#open) this.#attach(this.#open.reader, subscription);
    return {
      [Symbol.dispose]: () => {
        this.#subscriptions.delete(subscription);
        subscription.end?.();
      },
    };
  }

  /** Sends at once, or says why not. A refusal by the server comes later, to the listener. */
  publish(
    subject: string,
    data: string | Uint8Array,
    options: { reply?: string } = {},
  ): SkipReason | undefined {
    if (this.#open === undefined) return "disconnected";
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    if (bytes.length > this.maxPayload) return "max_payload";
    try {
      this.#open.connection.publish(subject, bytes, options);
    } catch {
      return "disconnected";
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const backOff = new BackOff({ firstMs: 100, maxMs: 800 });
    using outage = new Outage("NATS", this.#options.servers.join(","));
    while (!signal.aborted) {
      const login = await this.#connect(signal);
      if (typeof login === "string") {
        if (signal.aborted) return;
        this.#connectivity.down(login);
        if (this.isNeeded()) outage.unreachable(login);
        await sleep(backOff.next(), { signal });
        continue;
      }
      if (signal.aborted) return void login.connection.close();
      const sinceMs = performance.now();
      const { cause, isSaid } = await this.#serve(login, { outage, signal });
      if (signal.aborted) return;
      this.#connectivity.down(cause);
      if (isSaid) outage.lost(cause, { isNeeded: this.isNeeded() });
      else if (this.isNeeded()) outage.unreachable(cause);
      if (performance.now() - sinceMs >= SETTLED_MS) backOff.reset();
      await sleep(backOff.next(), { signal });
    }
  }

  /** Tries one server after the other, those that the cluster announced last; gives the first one's cause where none takes us. */
  async #connect(signal: AbortSignal): Promise<Login | string> {
    let first: string | undefined;
    for (const address of this.#servers.next()) {
      const login = await this.#connectTo(address, signal);
      if (typeof login !== "string" || signal.aborted) return login;
      first ??= login;
    }
    return first!;
  }

  async #connectTo(address: NatsAddress, signal: AbortSignal): Promise<Login | string> {
    let greeted: GreetedConnection;
    try {
      greeted = await dialNats(address, { limitMs: CONNECT_MS, signal });
    } catch (error) {
      return (error as Error).message;
    }
    using _ = onAbort(signal, () => closeQuietly(greeted.connection));
    try {
      const connection = await logIn(greeted, {
        name: this.#options.name,
        authenticator: natsAuthenticator(this.#options.auth),
        timeout: CONNECT_MS,
        pingInterval: this.#pingIntervalMs,
        maxPingOut: Infinity, // See `#watchReads`.
        reconnect: false,
        ignoreClusterUpdates: true,
      });
      return { connection, greeted, address };
    } catch (error) {
      closeQuietly(greeted.connection);
      return loginCause(error, greeted);
    }
  }

  /** Holds one connection until it ends; gives the cause, and whether the log said that it stood. */
  async #serve(
    { connection, greeted, address }: Login,
    { outage, signal }: { readonly outage: Outage; readonly signal: AbortSignal },
  ): Promise<{ readonly cause: string; readonly isSaid: boolean }> {
    this.#connects++;
    this.#refused.clear();
    this.#isStale = false;
    const reader = new NatsReader(connection);
    using reads = this.#watchReads(connection, greeted);
    this.#open = { connection, reader, heard: reads.heard };
    this.#connectivity.up();
    for (const subscription of this.#subscriptions) this.#attach(reader, subscription);
    void this.#watch(connection); // npm:nats never ends the status of a closed connection: not to be waited for.
    using _ = onAbort(signal, () => void connection.close());
    this.#tell((listener) => listener.onChange?.());
    let isSaid = false;
    const timer = setTimeout(() => {
      isSaid = true;
      outage.over(this.#servers.isNamed(address) ? undefined : address.url);
    }, TAKEN_MS);
    const error = await connection.closed() ?? reader.failure;
    clearTimeout(timer);
    this.#servers.announce(innerOf(connection).info?.connect_urls, address);
    this.#open = undefined;
    this.#connectivity.down();
    this.#tell((listener) => listener.onChange?.());
    await sleep(0, { signal }); // npm:nats says a little later that it gave up.
    const ended = greeted.failure ?? (this.#isStale ? "no answer to pings" : "closed by the server");
    return { cause: error ? errorText(error) : ended, isSaid };
  }

  /**
   * Ends a connection by which nothing comes although the server is pinged. Whatever comes is a sign of life: an answer to a
   * ping may stand behind much else that was not read yet. npm:nats counts such answers alone.
   */
  #watchReads(
    connection: NatsConnection,
    greeted: GreetedConnection,
  ): Disposable & { readonly heard: Streak } {
    const heard = new Streak(1.5 * this.#pingIntervalMs, performance.now());
    greeted.onRead = () => heard.note(performance.now());
    let untilMs = heard.span.untilMs;
    let quiet = 0;
    const timer = setInterval(() => {
      quiet = heard.span.untilMs === untilMs ? quiet + 1 : 0;
      untilMs = heard.span.untilMs;
      if (quiet < MAX_QUIET) return;
      clearInterval(timer);
      this.#isStale = true;
      void connection.close();
    }, this.#pingIntervalMs);
    return { heard, [Symbol.dispose]: () => clearInterval(timer) };
  }

  get #pingIntervalMs(): number {
    return this.#options.pingIntervalMs ?? 1_000;
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === Events.Error && status.permissionContext !== undefined) {
        const { operation, subject } = status.permissionContext;
        this.#refuse(operation, subject);
      }
      if (status.type === Events.Disconnect && this.#open?.connection === connection) {
        this.#open = undefined;
        this.#connectivity.down();
      }
    }
  }

  /** Says a refusal once for each connection and subject, all inboxes being one, and passes every one on. */
  #refuse(operation: string, subject: string): void {
    const what = `${operation} ${subject.startsWith(INBOX) ? INBOX : subject}`;
    if (!this.#refused.has(what)) this.#log.warn("NATS refuses us a subject", { operation, subject });
    this.#refused.add(what);
    this.#tell((listener) => listener.onRefused?.(operation, subject));
  }

  #tell(what: (listener: NatsListener) => void): void {
    for (const listener of this.#listeners) what(listener);
  }

  #attach(reader: NatsReader, subscription: Subscription): void {
    const { subject, handle } = subscription;
    const take = (message: NatsMessage | Error) => {
      if (message instanceof Error) return this.#refuse("subscription", subject);
      try {
        handle(message);
      } catch (error) { // It would end the connection.
        this.#log.error("Cannot take a message", { subject, cause: (error as Error).message });
      }
    };
    try {
      const current = reader.subscribe(subject, take);
      subscription.end = () => current[Symbol.dispose]();
    } catch {
      // The connection has just ended. The next one makes the subscription again.
    }
  }
}

/** After so many pings in a row after which nothing came a connection is given up. */
const MAX_QUIET = 2;

/** How long a server may take to greet us. */
const CONNECT_MS = 2_000;

/** A server may take a login that has just expired, and end it in the same breath: that is no connection to speak of. */
const TAKEN_MS = 200;

/** What createInbox begins with: there is a new one for each question. */
const INBOX = "_INBOX.";

const encoder = new TextEncoder();

/** npm:nats has no words for a server that ends the connection in place of an answer. */
function loginCause(error: unknown, { failure }: GreetedConnection): string {
  if (failure !== undefined) return failure;
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  if (code === ErrorCode.Timeout) return `no answer to our login within ${CONNECT_MS} ms`;
  return message === undefined || code === ErrorCode.ConnectionRefused
    ? "the server ended the connection in place of an answer to our login"
    : errorText(error as Error);
}

function errorText(error: Error): string {
  const cause = (error as { chainedError?: Error }).chainedError;
  return cause && cause.message !== error.message ? `${error.message}: ${cause.message}` : error.message;
}
