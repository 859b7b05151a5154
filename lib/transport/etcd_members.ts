import { logger } from "../log.ts";
import { BackOff } from "../timing.ts";
import { parseAddress } from "./etcd_address.ts";

/** How long a member that failed is left aside: longer with each failure in a row. */
const ASIDE = { firstMs: 5_000, maxMs: 60_000 };

/** One endpoint of a cluster, and how it fared. */
export class EtcdMember {
  readonly endpoint: string;
  /** `HOST:PORT`, for the log. */
  readonly name: string;
  /** Why it last failed. Undefined while it is well, or was never tried. */
  cause: string | undefined;
  failedMs = -Infinity;
  asideUntilMs = -Infinity;
  /** Whether the log has named it as sick. */
  isNamed = false;
  readonly backOff = new BackOff(ASIDE);

  constructor(endpoint: string) {
    const { hostname, port } = parseAddress(endpoint);
    this.endpoint = endpoint;
    this.name = `${hostname}:${port}`;
  }
}

/**
 * The members of one etcd cluster: which one to use next, and which ones are left aside because they failed. The log
 * names a sick member once, and only if another one is well: otherwise it is etcd that is away, not a member.
 */
export class EtcdMembers {
  readonly #log = logger("transport");
  readonly #members: readonly EtcdMember[];
  #current: EtcdMember | undefined;

  /** @param endpoints in the order in which they are tried */
  constructor(endpoints: readonly string[]) {
    this.#members = endpoints.map((endpoint) => new EtcdMember(endpoint));
  }

  /** Which one the session is with, or was last. */
  get current(): EtcdMember | undefined {
    return this.#current;
  }

  /** All but the current one that may be asked how they are. */
  get others(): readonly EtcdMember[] {
    return this.#usable().filter((member) => member !== this.#current);
  }

  /**
   * The current one while it is not left aside. Otherwise the next: first those that are well, then the one whose last
   * failure is oldest. Undefined if all are left aside.
   */
  choose(): EtcdMember | undefined {
    const usable = this.#usable();
    if (this.#current !== undefined && usable.includes(this.#current)) return this.#current;
    const [next] = usable.toSorted((a, b) =>
      Number(a.cause !== undefined) - Number(b.cause !== undefined) || a.failedMs - b.failedMs || 0
    );
    if (next !== undefined) this.#current = next;
    return next;
  }

  failed(member: EtcdMember, cause: string): void {
    member.cause = cause;
    member.failedMs = performance.now();
    member.asideUntilMs = member.failedMs + member.backOff.next();
  }

  /** It did what it was asked. */
  succeeded(member: EtcdMember): void {
    if (member.isNamed) this.#log.info("An etcd member answers again", { member: member.name });
    member.cause = undefined;
    member.isNamed = false;
    member.asideUntilMs = -Infinity;
    member.backOff.reset();
  }

  /** Has the log name those that failed. To be called while another member is known to be well. */
  nameSick(): void {
    for (const member of this.#members) {
      if (member.cause === undefined || member.isNamed) continue;
      member.isNamed = true;
      this.#log.warn("Left an etcd member aside", { member: member.name, cause: member.cause });
    }
  }

  /** All of them failed: nobody is left aside any more. */
  forgive(): void {
    for (const member of this.#members) {
      member.asideUntilMs = -Infinity;
      member.backOff.reset();
    }
    this.#current = undefined;
  }

  /** Why all of them failed, in a line. */
  get causes(): string {
    if (this.#members.length === 1) return this.#members[0]!.cause ?? "";
    return this.#members.flatMap(({ name, cause }) => cause === undefined ? [] : [`${name}: ${cause}`])
      .join("; ");
  }

  #usable(): EtcdMember[] {
    const nowMs = performance.now();
    return this.#members.filter(({ asideUntilMs }) => asideUntilMs <= nowMs);
  }
}
