/** Where one etcd member is. */
export interface EtcdAddress {
  readonly hostname: string;
  readonly port: number;
  readonly secure: boolean;
}

/** Reads `http://HOST:PORT`, `https://HOST:PORT` or `HOST:PORT`. */
export function parseAddress(endpoint: string): EtcdAddress {
  const url = new URL(endpoint.includes("://") ? endpoint : `http://${endpoint}`);
  const secure = url.protocol === "https:";
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  return { hostname, port: Number(url.port || (secure ? 443 : 80)), secure };
}
