import { type WorkerId, workerIdToHex } from "../dynamo/worker_id.ts";
import type { Membership } from "./membership.ts";
import type { PageTarget } from "./page_targets.ts";

/** What tells where pages are beside the workers' cards. */
export interface PageSources {
  /** Addresses to be filled with a worker's id and host. */
  readonly templates: readonly string[];
  readonly targets: readonly PageTarget[];
}

/**
 * Where the pages of registered workers may be, with the workers that each may be of: at the address on a worker's card,
 * else at those that templates make of its id and host; and at the listed ones, each of the worker that it names, else of
 * those on its host, else of any.
 */
export function pageAddresses(
  { workers }: Pick<Membership, "workers">,
  { templates, targets }: PageSources,
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
  const byHost = targets.length === 0
    ? undefined
    : Map.groupBy(workers.keys(), (id) => workers.get(id)!.host);
  for (const { url, host, worker } of targets) {
    if (worker === undefined) { for (const one of byHost!.get(host) ?? workers.keys()) add(url, one); }
    else if (workers.has(worker)) add(url, worker);
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
