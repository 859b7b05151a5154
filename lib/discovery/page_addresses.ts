import { type WorkerId, workerIdToHex } from "../dynamo/worker_id.ts";
import type { Membership } from "./membership.ts";

/**
 * Where the pages of registered workers may be, with the workers that each may be of: at the address on a worker's card,
 * else at those that `templates` make of its id and host.
 */
export function pageAddresses(
  { workers }: Pick<Membership, "workers">,
  templates: readonly string[],
): Map<string, Set<WorkerId>> {
  const addresses = new Map<string, Set<WorkerId>>();
  const add = (url: string, worker: WorkerId) => {
    const workers = addresses.get(url);
    if (workers === undefined) addresses.set(url, new Set([worker]));
    else workers.add(worker);
  };
  for (const [worker, { card, host }] of workers) {
    if (card?.metricsUrl !== undefined) {
      add(card.metricsUrl, worker);
      continue;
    }
    for (const template of templates) {
      const filled = fillPageTemplate(template, { id: workerIdToHex(worker), host });
      if (filled !== undefined) add(filled, worker);
    }
  }
  return addresses;
}

/** An address of `http://{host}:8081/{id}`; undefined where a part is not known, or no address comes out. */
export function fillPageTemplate(
  template: string,
  { id, host }: { readonly id: string; readonly host: string | undefined },
): string | undefined {
  if (host === undefined && template.includes("{host}")) return undefined;
  const url = template.replaceAll("{id}", id).replaceAll("{host}", () => host ?? "");
  return URL.canParse(url) ? url : undefined;
}
