import { logger } from "../log.ts";

/** A connection that lasts so long is no flicker of a server that takes us and lets us go. */
export const SETTLED_MS = 2_000;
/** After so many flickers in a row the log waits until a connection has settled. */
const FLICKERS = 3;

/** What a try fails of. Each is said once in an outage: a server may be away, come back, and then refuse us. */
type Kind = "away" | "tls" | "login";

/**
 * What the log says of a server that is sought for ever: one line when it is lost or was never there, one when TLS fails with a
 * server that is there, one when it refuses our login, one when all is well again. Disposing ends its timer.
 */
export class Outage implements Disposable {
  readonly #log = logger("transport");
  #said = new Set<Kind>();
  #flickers = 0;
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly server: "NATS" | "etcd", private readonly addresses: string) {}

  /** The connection stands; `at` is the server's address where it is none of those that were named. */
  over(at?: string): void {
    const isQuiet = this.#flickers >= FLICKERS;
    if (!isQuiet) this.#sayOver(at);
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      this.#flickers = 0;
      if (isQuiet) this.#sayOver(at);
    }, SETTLED_MS);
  }

  /** The connection stood, and ended; a warning only where it is needed. */
  lost(cause: string, { isNeeded = true }: { readonly isNeeded?: boolean } = {}): void {
    if (this.#flickers < FLICKERS) {
      this.#said = new Set(isNeeded ? ["away"] : []);
      const line = `Lost the connection to ${this.server}, trying again`;
      const fields = { servers: this.addresses, cause };
      if (isNeeded) this.#log.warn(line, fields);
      else this.#log.info(line, fields);
    }
    if (this.#settling !== undefined) this.#flickers++;
    this[Symbol.dispose]();
  }

  /** A try to connect failed. */
  unreachable(cause: string): void {
    const kind = kindOf(cause);
    if (!this.#said.has(kind)) {
      this.#log.warn(`Cannot reach ${this.server}, trying again`, { servers: this.addresses, cause });
    }
    this.#said.add(kind);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#settling);
    this.#settling = undefined;
  }

  #sayOver(at: string | undefined): void {
    this.#said.clear();
    this.#log.info(`Connected to ${this.server}`, { servers: this.addresses, at });
  }
}

function kindOf(cause: string): Kind {
  if (/certificate|\bTLS\b/.test(cause)) return "tls";
  return /auth|password|permission/i.test(cause) ? "login" : "away";
}
