import { type WorkerId, workerIdToHex } from "../dynamo/worker_id.ts";
import type { Membership } from "./membership.ts";
import type { PageTarget } from "./page_targets.ts";

/** What tells where pages are beside the workers' cards. */
export interface PageSources {
  /** Addresses to be filled with a worker's id and host. */
  readonly templates: readonly string[];
  readonly targets: readonly PageTarget[];
}

/** Of whom a page may be. */
export interface PageOwners {
  readonly workers: ReadonlySet<WorkerId>;
  /** The worker whose page it is because the list says so, whatever the page itself says. */
  readonly listedAs?: WorkerId;
}

export interface PageAddresses {
  readonly pages: ReadonlyMap<string, PageOwners>;
  /** Workers whose page has no address because a template needs a host, and their keys name none. */
  readonly unaddressed: readonly WorkerId[];
}

/**
 * Where the pages of registered workers may be, with the workers that each may be of: at the address on a worker's card,
 * else at those that templates make of its id and host; and at the listed ones, each of the worker that it names, else of
 * those on its host, else of any.
 */
export function pageAddresses(
  { workers }: Pick<Membership, "workers">,
  { templates, targets }: PageSources,
): PageAddresses {
  const pages = new Map<string, Owners>();
  const unaddressed = new Set<WorkerId>();
  /** One set for all pages that may be of any, of which there may be as many as workers. */
  const all = new Set(workers.keys());
  const add = (url: string, worker: WorkerId) => {
    const known = pages.get(url);
    if (known === undefined) pages.set(url, { workers: new Set([worker]) });
    else if (known.workers !== all) (known.workers as Set<WorkerId>).add(worker);
  };
  for (const [worker, { card, host }] of workers) {
    if (card?.metricsUrl !== undefined) {
      add(card.metricsUrl, worker);
      continue;
    }
    const filled = templates.flatMap((template) =>
      fillPageTemplate(template, { id: workerIdToHex(worker), host }) ?? []
    );
    for (const url of filled) add(url, worker);
    if (templates.length > 0 && filled.length === 0 && host === undefined) unaddressed.add(worker);
  }
  const byHost = targets.length === 0
    ? undefined
    : Map.groupBy(workers.keys(), (id) => workers.get(id)!.host);
  for (const { url, host, worker } of targets) {
    if (worker !== undefined) {
      if (!workers.has(worker)) continue;
      add(url, worker);
      nameOwner(pages.get(url)!, worker);
      unaddressed.delete(worker);
      continue;
    }
    const onHost = byHost!.get(host);
    if (onHost === undefined) pages.set(url, { workers: all });
    else for (const one of onHost) add(url, one);
  }
  return { pages, unaddressed: [...unaddressed] };
}

type Owners = { -readonly [K in keyof PageOwners]: PageOwners[K] };

/** If the list names several workers for one page, the page must name its worker. */
function nameOwner(owners: Owners, worker: WorkerId): void {
  const isOther = owners.listedAs !== undefined && owners.listedAs !== worker;
  if (isOther) delete owners.listedAs;
  else owners.listedAs = worker;
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
