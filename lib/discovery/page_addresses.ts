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
): Map<string, ReadonlySet<WorkerId>> {
  const addresses = new Map<string, ReadonlySet<WorkerId>>();
  /** One set for all pages that may be of any, of which there may be as many as workers. */
  const all = new Set(workers.keys());
  const add = (url: string, worker: WorkerId) => {
    const known = addresses.get(url);
    if (known === undefined) addresses.set(url, new Set([worker]));
    else if (known !== all) (known as Set<WorkerId>).add(worker);
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
    if (worker !== undefined) {
      if (workers.has(worker)) add(url, worker);
      continue;
    }
    const onHost = byHost!.get(host);
    if (onHost === undefined) addresses.set(url, all);
    else for (const one of onHost) add(url, one);
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
