/** Of every answer of the API: it is of this moment, and is what it says it is. Other origins may not read it. */
export const API_HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/** An answer that says in one sentence why there is no other. */
export function apiError(status: number, error: string): Response {
  return Response.json({ error }, { status, headers: API_HEADERS });
}
