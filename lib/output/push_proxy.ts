/** A proxy that pushes go through. */
export interface PushProxy {
  /** `http://HOST:PORT`, `https:` and `socks5:` too, without a user: for people as well. */
  readonly url: string;
  readonly login: { readonly username: string; readonly password: string } | undefined;
}

/** A client all of whose requests go through the proxy. */
export function proxyClient({ url, login }: PushProxy): Deno.HttpClient {
  const { protocol } = new URL(url);
  const transport = protocol === "https:" ? "https" : protocol === "http:" ? "http" : "socks5";
  return Deno.createHttpClient({ proxy: { transport, url, ...(login && { basicAuth: login }) } });
}
