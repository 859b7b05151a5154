import { logger } from "../log.ts";

/**
 * What the log says of a server that is sought for ever: one line when it is lost or was never there, one when a server
 * that is there refuses our login, one when all is well again.
 */
export class Outage {
  readonly #log = logger("transport");
  #said = new Set<"away" | "login">();

  constructor(private readonly server: "NATS" | "etcd", private readonly addresses: string) {}

  /** The connection stands. */
  over(): void {
    this.#said.clear();
    this.#log.info(`Connected to ${this.server}`, { servers: this.addresses });
  }

  /** The connection stood, and ended. */
  lost(cause: string): void {
    this.#said = new Set(["away"]);
    this.#log.warn(`Lost the connection to ${this.server}, trying again`, { servers: this.addresses, cause });
  }

  /** A try to connect failed. */
  unreachable(cause: string): void {
    const kind = /auth|password|permission/i.test(cause) ? "login" : "away";
    if (!this.#said.has(kind)) {
      this.#log.warn(`Cannot reach ${this.server}, trying again`, { servers: this.addresses, cause });
    }
    this.#said.add(kind);
  }
}
