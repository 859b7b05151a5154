import { lookupCause, systemCause } from "./socket_cause.ts";

/** Says in plain words why Deno's fetch failed. Its own words were seen with 2.9.6. */

/**
 * Why a request failed, in one line: `connection refused`, `name not found: HOST`, `TLS error: …` with what the TLS layer
 * said. Deno's own message is "fetch failed"; its cause has the addresses first and then the reason, such as
 * `… client error (Connect): tcp connect error: Connection refused (os error 111)`.
 */
export function fetchCause({ message, cause }: Error, url: string): string {
  if (!(cause instanceof Error)) return message;
  const [, kind, reason] = /: client error \((\w+)\): (.*)$/s.exec(cause.message) ?? [];
  if (reason === undefined) return cause.message;
  const { protocol, hostname } = new URL(url);
  if (reason.startsWith("dns error: ")) return lookupCause(reason, hostname);
  const [, systemText] = /^(?:tcp connect error: )?(.*?)\.? \(os error \d+\)$/s.exec(reason) ?? [];
  if (systemText !== undefined) return systemCause(systemText);
  const isTls = kind === "Connect" && protocol === "https:" && !/^tcp |tunnel|proxy/i.test(reason);
  return isTls ? `TLS error: ${reason}` : reason;
}
