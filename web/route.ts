/** What the address after `#` asks for: the fleet, or one worker. */
export type Route = { readonly page: "fleet" } | { readonly page: "worker"; readonly id: string };

export function parseRoute(hash: string): Route {
  const id = /^#\/worker\/([^/]+)$/.exec(hash)?.[1];
  if (id === undefined) return { page: "fleet" };
  try {
    return { page: "worker", id: decodeURIComponent(id) };
  } catch {
    return { page: "fleet" }; // A `%` that encodes nothing.
  }
}

export function workerHref(id: string): string {
  return `#/worker/${encodeURIComponent(id)}`;
}
