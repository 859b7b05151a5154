import { BlockList, isIP } from "node:net";
import type { PushProxy } from "../output/push_proxy.ts";
import { type Invocation, UsageError } from "./usage.ts";

/** The names that programs look for, in both spellings. What small letters say counts first, as in curl. */
const VARIABLES = ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "grpc_proxy", "no_grpc_proxy"];

/**
 * Takes the variables out of the environment: Deno's fetch and gRPC would obey them, and what we watch is reached directly.
 * To be called before the first request, by which Deno remembers them.
 */
export function forgetProxies(): void {
  for (const name of VARIABLES) {
    Deno.env.delete(name);
    Deno.env.delete(name.toUpperCase());
  }
}

/**
 * The proxy of requests to `url`, as `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` have it.
 *
 * @throws {UsageError} when the variable that counts names none
 */
export function proxyOf(url: URL, env: Invocation["env"]): PushProxy | undefined {
  if (isExcepted(url, valueOf("no_proxy", env)?.text ?? "")) return undefined;
  const own = url.protocol === "https:" ? "https_proxy" : "http_proxy";
  const given = valueOf(own, env) ?? valueOf("all_proxy", env);
  if (given === undefined) return undefined;
  const { name, text } = given;
  const proxy = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (proxy === null || proxy.hostname === "" || !/^(?:https?|socks5h?):$/.test(proxy.protocol)) {
    throw new UsageError(`${name}: must be http://HOST:PORT, with https and socks5 allowed too`);
  }
  return {
    url: `${proxy.protocol}//${proxy.host}`,
    login: proxy.username === "" && proxy.password === ""
      ? undefined
      : { username: decoded(proxy.username), password: decoded(proxy.password) },
  };
}

function valueOf(
  name: string,
  env: Invocation["env"],
): { readonly name: string; readonly text: string } | undefined {
  const found = [name, name.toUpperCase()].find((spelling) => env[spelling]?.trim());
  return found === undefined ? undefined : { name: found, text: env[found]!.trim() };
}

/** A name excepts itself and all below it, with or without a dot before it; an address itself; `10.0.0.0/8` a net; `*` all. */
function isExcepted({ hostname, port, protocol }: URL, list: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "").toLowerCase();
  const family = isIP(host) === 6 ? "ipv6" : "ipv4";
  const usedPort = port || (protocol === "https:" ? "443" : "80");
  return list.split(",").map((part) => part.trim().toLowerCase()).some((part) => {
    if (part === "*") return true;
    const [, net, bits] = /^([\da-f.:]+)\/(\d{1,3})$/.exec(part) ?? [];
    if (net !== undefined) return isInNet(host, { net, bits: Number(bits), family });
    const [, named = part, onlyPort] = /^(\[.*\]|[^:]*):(\d+)$/.exec(part) ?? [];
    if (onlyPort !== undefined && onlyPort !== usedPort) return false;
    const name = named.replace(/^\[|\]$/g, "").replace(/^\*?\./, "");
    return name !== "" && (host === name || isIP(host) === 0 && host.endsWith(`.${name}`));
  });
}

function isInNet(
  host: string,
  { net, bits, family }: { readonly net: string; readonly bits: number; readonly family: "ipv4" | "ipv6" },
): boolean {
  if (isIP(host) === 0 || isIP(net) !== isIP(host) || bits > (family === "ipv6" ? 128 : 32)) return false;
  const nets = new BlockList();
  nets.addSubnet(net, bits, family);
  return nets.check(host, family);
}

/** As it was before somebody made an address of it. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
