/** What is used of the package, which brings no types. */
export default class Negotiator {
  constructor(request: { readonly headers: Readonly<Record<string, string | undefined>> });
  /** Of `available` those that the Accept header takes, the preferred first. */
  mediaTypes(available: string[]): string[];
  /** Of `available` those that the Accept-Encoding header takes, the preferred first. */
  encodings(available: string[]): string[];
}
