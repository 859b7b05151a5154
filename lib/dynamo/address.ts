/** Where a socket listens. An IPv6 host is without brackets. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Reads `HOST:PORT`, an IPv6 host in brackets; undefined where the host cannot be one or the port is not 1 to 65535. */
export function parseAddress(text: string): Address | undefined {
  const [, ipv6, name, digits] = /^(?:\[([\da-fA-F:.]+(?:%[\w.-]+)?)\]|([\w.-]+)):(\d{1,5})$/.exec(text) ??
    [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  return host !== undefined && port >= 1 && port <= 65_535 ? { host, port } : undefined;
}
