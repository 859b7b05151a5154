export const HTTP_URL_RULE =
  "http://HOST[:PORT][/PATH] or https://HOST[:PORT][/PATH], without a user, a query or a fragment";

/** Reads an address to which paths are added. */
export function httpUrl(text: string): URL | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const more = url.username || url.password || /[?#]/.test(text) || url.port === "0";
  return more ? undefined : url;
}
