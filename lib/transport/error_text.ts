/** What went wrong, as whoever threw it says. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
