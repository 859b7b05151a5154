/** JSON with its integers whole: bigint beyond 2^53. */
export function exactJson(text: string): unknown {
  return JSON.parse(
    text,
    ((_key: string, value: unknown, { source }: { source: string }) =>
      typeof value === "number" && /^-?\d+$/.test(source) && !Number.isSafeInteger(value)
        ? BigInt(source)
        : value) as never,
  );
}

/** The JSON of a value that {@link exactJson} may have given: a bigint is written as an integer. */
export function exactJsonText(value: unknown): string {
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
  return JSON.stringify(value, (_, inner) => typeof inner === "bigint" ? rawJSON(String(inner)) : inner);
}

/** Integers as decimal text, so that number and bigint of the same value compare equal. */
export function withTextIntegers(value: unknown): unknown {
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return String(value);
  if (Array.isArray(value)) return value.map(withTextIntegers);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withTextIntegers(inner)]));
}

/** The lines of a JSONL file. */
export function readLines(url: URL): string[] {
  return Deno.readTextFileSync(url).trim().split("\n");
}

/** The names in a folder. */
export function listNames(url: URL): string[] {
  return [...Deno.readDirSync(url)].map(({ name }) => name).toSorted();
}
