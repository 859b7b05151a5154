import { isIP } from "node:net";

/** One NATS server as we connect to it. */
export interface NatsAddress {
  /** For people. */
  readonly url: string;
  /** A name or an address; IPv6 without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** `tls://`: nothing of ours is said without TLS. */
  readonly needsTls: boolean;
  /** What the server's certificate must be for. */
  readonly tlsName: string;
}

const DEFAULT_PORT = 4222;

/** @param url `nats://HOST[:PORT]` or `tls://HOST[:PORT]` */
export function natsAddress(url: string): NatsAddress {
  const { protocol, hostname: host, port } = new URL(
    url.replace(/^nats:/i, "http:").replace(/^tls:/i, "https:"),
  );
  const hostname = host.replace(/^\[|\]$/g, "");
  return {
    url,
    hostname,
    port: Number(port) || givenPort(url) || DEFAULT_PORT,
    needsTls: protocol === "https:",
    tlsName: hostname,
  };
}

/** `URL` drops the ports that http and https have. */
function givenPort(url: string): number {
  return Number(/:(\d+)\/?$/.exec(url)?.[1] ?? 0);
}

/** How many announced servers are kept. */
const MAX_ANNOUNCED = 100;
/** How many of them are tried before the named ones are tried again. */
const ANNOUNCED_AT_ONCE = 3;

/** The servers that were named, and after them those that the cluster announced last. */
export class NatsServers {
  readonly #named: readonly NatsAddress[];
  #announced: readonly NatsAddress[] = [];
  #turn = 0;

  constructor(urls: readonly string[]) {
    this.#named = urls.map(natsAddress);
  }

  /**
   * Those to try now, in order: the named ones, and some of the announced ones, others each time. Of many that swallow packets
   * each takes its time, and the named ones are not to wait for all of them.
   */
  next(): readonly NatsAddress[] {
    const count = Math.min(ANNOUNCED_AT_ONCE, this.#announced.length);
    const some = Array.from(
      { length: count },
      (_, n) => this.#announced[(this.#turn + n) % this.#announced.length]!,
    );
    this.#turn += count;
    return [...this.#named, ...some];
  }

  isNamed(address: NatsAddress): boolean {
    return this.#named.includes(address);
  }

  /**
   * Takes what the server at `by` announced (`connect_urls` of its INFO, `HOST:PORT` each) in place of what was announced
   * before. Servers that are announced by their address have certificates for the name by which the cluster is known, so
   * where the announcing one was named, they are checked against that name, as NATS' own clients do. What is no list is
   * no servers, and what is no address is left out: it comes from outside.
   */
  announce(urls: unknown, by: NatsAddress): void {
    const known = new Set(this.#named.map(place));
    const list: readonly unknown[] = Array.isArray(urls) ? urls.slice(0, MAX_ANNOUNCED) : [];
    this.#announced = list.flatMap((hostPort) => {
      const url = `${by.needsTls ? "tls" : "nats"}://${hostPort}`;
      const isAddress = typeof hostPort === "string" && URL.canParse(`http://${hostPort}`) &&
        /^[\w.-]+:\d+$|^\[[0-9a-fA-F:.]+\]:\d+$/.test(hostPort);
      if (!isAddress) return [];
      const address = natsAddress(url);
      if (known.has(place(address))) return [];
      known.add(place(address));
      const isByAddress = isIP(address.hostname) !== 0 && isIP(by.tlsName) === 0;
      return [isByAddress ? { ...address, tlsName: by.tlsName } : address];
    });
  }
}

function place({ hostname, port }: NatsAddress): string {
  return `${hostname} ${port}`;
}
