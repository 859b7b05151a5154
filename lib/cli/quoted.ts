const MAX_QUOTED = 80;

/** Any text in one printable line, for people: without what may be secret in an address. */
export function quoted(text: string, { isAddress = false }: { readonly isAddress?: boolean } = {}): string {
  const shown = withoutSecrets(text, isAddress);
  return JSON.stringify(shown.length <= MAX_QUOTED ? shown : `${shown.slice(0, MAX_QUOTED)}…`);
}

/**
 * An address, or several, that may be wrong in any way. A password may have any sign, so all before the last `@` is left out
 * but for the first scheme, and all after the first `?` or `#`, but for the place in a page that `#/` names.
 */
function withoutSecrets(text: string, isAddress: boolean): string {
  const [scheme] = /^(?:[a-z][a-z\d+.-]*:)?\/\//i.exec(text) ?? [""];
  const at = text.lastIndexOf("@");
  const query = text.search(/\?.|#[^/]/s);
  if (query >= 0 && query < at) return `${scheme}…`; // The one may be in the other.
  const places = text.slice(at < 0 ? scheme.length : at + 1, query < 0 ? undefined : query + 1);
  const shown = scheme === "" && !isAddress ? places : places.replace(NO_PORT, "$1…");
  return `${scheme}${at < 0 ? "" : "…@"}${shown}${query < 0 ? "" : "…"}`;
}

/** What stands where a port should, and is none: a password may, if its host was forgotten. */
const NO_PORT = /(?<=^|,|\/\/)([^,/:[\]]*:)(?!\/\/|\d{0,6}(?:[/,]|$))[^,/]*/g;
