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

/** The servers that were named, and after them those that the cluster announced last. */
export class NatsServers {
  readonly #named: readonly NatsAddress[];
  #announced: readonly NatsAddress[] = [];

  constructor(urls: readonly string[]) {
    this.#named = urls.map(natsAddress);
  }

  /** In the order in which they are tried. */
  get all(): readonly NatsAddress[] {
    return [...this.#named, ...this.#announced];
  }

  isNamed(address: NatsAddress): boolean {
    return this.#named.includes(address);
  }

  /**
   * Takes what the server at `by` announced (`connect_urls` of its INFO, `HOST:PORT` each) in place of what was announced
   * before. Servers that are announced by their address have certificates for the name by which the cluster is known, so
   * where the announcing one was named, they are checked against that name, as NATS' own clients do.
   */
  announce(urls: readonly string[], by: NatsAddress): void {
    const known = new Set(this.#named.map(place));
    this.#announced = urls.slice(0, MAX_ANNOUNCED).flatMap((hostPort) => {
      const url = `${by.needsTls ? "tls" : "nats"}://${hostPort}`;
      if (!/^[\w.-]+:\d+$|^\[[0-9a-fA-F:.]+\]:\d+$/.test(hostPort)) return [];
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
