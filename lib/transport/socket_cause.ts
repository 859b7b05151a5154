/** What Deno's sockets failed of (their words were seen with 2.9.6), in words for people. */

/**
 * Why a connection by TCP or TLS could not be had, or ended: `connection refused`, `name not found: HOST`, what is wrong with
 * a certificate, which alert TLS ended with. Where nothing better is known, the error's own words.
 */
export function socketCause({ message }: Error, { hostname }: { readonly hostname: string }): string {
  if (message.startsWith("failed to lookup address")) return lookupCause(message, hostname);
  const [, alert] = /^received fatal alert: (\w+)/.exec(message) ?? [];
  if (alert !== undefined) return alertCause(alert);
  const [, certificate] = /^invalid peer certificate: (.*)$/s.exec(message) ?? [];
  if (certificate !== undefined) return certificateCause(certificate);
  return systemCause(message.replace(/ \(os error \d+\)$/, ""));
}

/** The system has several texts for a name that is not there, and others for a name that could not be looked up. */
export function lookupCause(reason: string, hostname: string): string {
  const text = reason.replace(/^(?:dns error: )?(?:failed to lookup address information: )?/, "");
  return /not known|no address associated|no such host/i.test(text)
    ? `name not found: ${hostname}`
    : `name lookup failed: ${hostname}: ${systemCause(text)}`;
}

export function systemCause(text: string): string {
  return /refused/i.test(text) ? "connection refused" : text.charAt(0).toLowerCase() + text.slice(1);
}

/** We never send a certificate, so a server that complains of ours wants one. */
function alertCause(alert: string): string {
  return /^(?:BadCertificate|CertificateRequired|NoCertificate)/.test(alert)
    ? `the server asks for a client certificate (TLS alert ${alert})`
    : `the server ends TLS with the alert ${alert}`;
}

function certificateCause(text: string): string {
  if (/UnknownIssuer|self.?signed|CaUsedAsEndEntity/i.test(text)) {
    return `the server's certificate is of an unknown authority (${text}); DENO_CERT names a file of authorities`;
  }
  if (/^certificate expired|^Expired/.test(text)) {
    return `the server's certificate has expired${since(text, /not valid after (\d+)/)}`;
  }
  if (/not valid yet|^NotValidYet/.test(text)) {
    return `the server's certificate is not valid yet${since(text, /not valid before (\d+)/)}`;
  }
  const [, asked] = /^certificate not valid for name "([^"]*)"/.exec(text) ?? [];
  const [, good] = /only valid for (.*)$/s.exec(text) ?? [];
  return asked === undefined
    ? `the server's certificate is refused: ${text}`
    : `the server's certificate is not for ${asked}${good ? `, but for ${names(good)}` : ""}`;
}

/** ` (2020-02-01T00:00:00Z)`, of the seconds since 1970 that the pattern finds. */
function since(text: string, pattern: RegExp): string {
  const [, seconds] = pattern.exec(text) ?? [];
  if (seconds === undefined) return "";
  return ` (${new Date(Number(seconds) * 1_000).toISOString().replace(".000", "")})`;
}

/** `DnsName("localhost")` or `IpAddress(127.0.0.1)`: the names alone. */
function names(text: string): string {
  return text.replace(/\w+\("?([^")]*)"?\)/g, "$1");
}
