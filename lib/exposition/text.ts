import type { Target } from "../dynamo/target.ts";
import { type Snapshot, WORKER_STATES, type WorkerSnapshot } from "../fleet/snapshot.ts";
import type { EndpointCounters } from "../scrape/answer.ts";
import { FAMILIES } from "./families.ts";
import { type Family, namespaceLabels, type Naming, targetLabels } from "./family.ts";
import { type Label, labelsText } from "./labels.ts";
import { numberText } from "./number.ts";

/** The media type of the text format 0.0.4. */
export const TEXT_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** A family that the program counts itself: plain values, as its registry gives them. */
export interface CountedFamily {
  readonly name: string;
  readonly values: readonly CountedValue[];
}

/** `metricName` where a histogram's sample has one of its own. */
export interface CountedValue {
  readonly metricName?: string;
  readonly labels: Readonly<Partial<Record<string, string | number>>>;
  readonly value: number;
}

/**
 * A whole page in the text format 0.0.4: families by name, those without samples left out, one line a sample, no
 * timestamps.
 */
export function renderText(snapshot: Snapshot, counted: readonly CountedFamily[]): string {
  const countedByName = new Map(counted.map((family) => [family.name, family.values]));
  const names = new WorkerLabels();
  let page = "";
  for (const family of FAMILIES) {
    const samples = renderSamples(family, { snapshot, counted: countedByName.get(family.name) ?? [], names });
    if (samples === "") continue;
    page += `# HELP ${family.name} ${
      escapeHelp(family.help)
    }\n# TYPE ${family.name} ${family.type}\n${samples}`;
  }
  return page;
}

interface Context {
  readonly snapshot: Snapshot;
  readonly counted: readonly CountedValue[];
  readonly names: WorkerLabels;
}

function renderSamples(family: Family, { snapshot, counted, names }: Context): string {
  const { name, source } = family;
  let text = "";
  const put = (labels: string, value: number | undefined) => {
    if (value !== undefined) text += sampleText(name, labels, value);
  };
  switch (source.per) {
    case "counters":
      for (const { metricName = name, labels, value } of counted) {
        const pairs = Object.entries(labels).map(([label, text]) => [label, String(text)] as const);
        text += sampleText(metricName, labelsText(pairs), value);
      }
      return text;
    case "snapshot":
      put("", source.value(snapshot));
      return text;
  }
  for (const target of snapshot.targets) {
    switch (source.per) {
      case "target":
        put(labelsText(targetLabels(target.target, source.naming)), source.value(target));
        break;
      case "namespace":
        put(labelsText(namespaceLabels(target.target)), source.value(target.hitRateTotals));
        break;
      case "state":
        for (const state of WORKER_STATES) {
          const labels: Label[] = [...targetLabels(target.target, "dynamo"), ["state", state]];
          put(labelsText(labels), source.value(target, state));
        }
        break;
      case "worker":
        for (const worker of target.workers) {
          const value = source.value(worker);
          if (value === undefined) continue;
          const more = source.more ? labelsText(source.more.labels(worker)) : "";
          put(names.of(target.target, worker, source.naming) + (more && `,${more}`), value);
        }
        break;
      case "channel":
        for (const worker of target.workers) {
          const prefix = names.of(target.target, worker, "dynamo");
          for (const channel of worker.channels) put(`${prefix},channel="${channel}"`, 1);
        }
        break;
      case "rank":
        for (const worker of target.workers) {
          for (const rank of worker.ranks) {
            const prefix = names.of(target.target, worker, "dynamo");
            put(`${prefix},dp_rank="${rank.dpRank}"`, source.value(rank));
          }
        }
        break;
      case "estimate":
        for (const worker of target.workers) {
          for (const estimate of worker.estimates) {
            const prefix = names.of(target.target, worker, "dynamo");
            put(`${prefix},dp_rank="${estimate.dpRank}",router="${estimate.router}"`, source.value(estimate));
          }
        }
        break;
      case "endpoint":
        for (const worker of target.workers) {
          for (const counters of distinct(worker.endpoints)) {
            put(names.ofEndpoint(target.target, worker, counters.endpoint), source.value(counters));
          }
        }
        break;
      case "hit_rate": {
        const prefix = labelsText(targetLabels(target.target, "original"));
        for (const sums of target.hitRates) put(`${prefix},worker_id="${sums.worker}"`, source.value(sums));
        break;
      }
    }
  }
  return text;
}

function sampleText(name: string, labels: string, value: number): string {
  return labels === "" ? `${name} ${numberText(value)}\n` : `${name}{${labels}} ${numberText(value)}\n`;
}

/** The label texts of workers, each made once a page. */
class WorkerLabels {
  readonly #texts: Record<Naming, Map<WorkerSnapshot, string>> = { original: new Map(), dynamo: new Map() };

  of(target: Target, worker: WorkerSnapshot, naming: Naming): string {
    let text = this.#texts[naming].get(worker);
    if (text === undefined) {
      text = labelsText([...targetLabels(target, naming), ["worker_id", worker.id]]);
      this.#texts[naming].set(worker, text);
    }
    return text;
  }

  /** As `of`, with `endpoint` in the place of the endpoint asked. */
  ofEndpoint(target: Target, worker: WorkerSnapshot, endpoint: string): string {
    if (endpoint === target.endpoint) return this.of(target, worker, "dynamo");
    return labelsText([...targetLabels({ ...target, endpoint }, "dynamo"), ["worker_id", worker.id]]);
  }
}

/** Of two under one name the later: a Pushgateway refuses a page with the same series twice. */
function distinct(endpoints: readonly EndpointCounters[]): Iterable<EndpointCounters> {
  if (endpoints.length < 2) return endpoints;
  return new Map(endpoints.map((counters) => [counters.endpoint.toWellFormed(), counters])).values();
}

/** Backslashes and line feeds in help text, escaped as the text format asks. */
function escapeHelp(help: string): string {
  return help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
