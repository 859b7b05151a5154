/** What is wrong at a target, as people are told it. What is wrong is decided by `findings/`; here it is put into lines. */

import type { Finding, FindingCounts, Fleet, TargetHead } from "../exposition/api_v1.ts";
import { FINDING_CODES, FINDING_KINDS, type FindingCode, type Severity } from "../findings/codes.ts";
import { printable, shownName } from "./printable.ts";

/** What the API tells of all targets, and of one. */
export type ToldFindings = Pick<Fleet, "findings" | "finding_counts">;
export type ToldTarget =
  & Pick<TargetHead, "namespace" | "component" | "endpoint" | "up" | "aggregate">
  & Pick<TargetHead, "finding_counts" | "losses">;

/** All findings of one code, about a target or what all targets need. */
export interface Trouble {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** In one line, which says no time that passes. */
  readonly line: string;
  /** The cause where it is known, else what to do. */
  readonly hint: string;
  /** How many there are, and those of them that the API lists. */
  readonly count: number;
  readonly findings: readonly Finding[];
}

/** The answer to "is everything alive". */
export interface Verdict {
  readonly tone: "good" | "warn" | "bad";
  readonly line: string;
  /** Worst first; the verdict is the first, unless that is good to know only. */
  readonly troubles: readonly Trouble[];
}

export function verdictOf(fleet: ToldFindings, target: ToldTarget): Verdict {
  const troubles = troublesOf(fleet, target);
  const worst = troubles.find(({ severity }) => severity !== "info");
  if (worst === undefined) return { ...aliveOf(target), troubles };
  const { code, severity, line } = worst;
  const tone = severity === "error" ? "bad" : "warn";
  // Requests wait at workers that are well.
  return code === "requests_waiting"
    ? { tone, line: `${aliveOf(target).line}, ${line.split(" at ")[0]}`, troubles }
    : { tone, line, troubles };
}

/** Who is alive at a target of which nothing else is to be said. */
function aliveOf(target: ToldTarget): Pick<Verdict, "tone" | "line"> {
  const all = allOf(target);
  const { responding } = target.aggregate.workers;
  if (!target.up || all === 0) return { tone: "warn", line: "Nothing was heard of workers so far" };
  if (responding < all) return { tone: "warn", line: `${responding} of ${counted(all)} respond` };
  return { tone: "good", line: all === 1 ? "The worker is alive" : `All ${counted(all)} are alive` };
}

/** What is wrong or good to know, worst first. */
export function troublesOf(fleet: ToldFindings, target: ToldTarget): readonly Trouble[] {
  const path = `${target.namespace}/${target.component}/${target.endpoint}`;
  const [general, own] = [fleet.finding_counts ?? {}, countsOf(target)];
  return FINDING_CODES.flatMap((code) => {
    const count = (general[code] ?? 0) + (own[code] ?? 0);
    if (count === 0) return [];
    const findings = (fleet.findings ?? []).filter((finding) =>
      finding.code === code && (finding.target === undefined || finding.target === path)
    );
    const { severity, action } = FINDING_KINDS[code];
    const hint = printable(findings[0]?.hint ?? action);
    const line = LINES[code]?.(count, target) ?? textOf(code, count, { findings, path });
    return [{ code, severity, line, hint, count, findings }];
  });
}

/** A program before 0.5 does not count its findings: its sums say some of them. */
function countsOf({ finding_counts, aggregate, losses }: ToldTarget): FindingCounts {
  if (finding_counts !== undefined) return finding_counts;
  const { workers: { silent, undecodable, no_data, discovered }, ...sums } = aggregate;
  return {
    worker_stuck: sums.workers_stuck ?? 0,
    worker_silent: silent,
    worker_unreadable: undecodable,
    rank_silent: sums.ranks_silent ?? 0,
    worker_lost: losses === undefined ? 0 : 1,
    worker_unheard: discovered,
    worker_without_load: no_data,
    coverage_partial: sums.workers_partial ?? 0,
  };
}

/** What many findings of a code are together; the text of a code that is not here says all. */
const LINES: { readonly [Code in FindingCode]?: (count: number, target: ToldTarget) => string } = {
  worker_stuck: (count) => `${counted(count)} ${are(count)} stuck`,
  worker_silent: (count, target) => `${ofAll(count, target)} ${are(count)} silent`,
  worker_unreadable: (count, target) => `${ofAll(count, target)} ${are(count)} undecodable`,
  rank_silent: (count) => `${counted(count, "rank")} ${are(count)} silent`,
  worker_lost: (count, target) => `${allOf(target)} alive, ${target.losses?.workers ?? count} lost`,
  worker_unheard: (count, target) => `${ofAll(count, target)} not heard yet`,
  worker_without_load: (count, target) => `${ofAll(count, target)} without load data`,
  coverage_partial: (count) => `${counted(count)} with some ranks only`,
  page_unreadable: (count) => `${counted(count, "page")} of workers ${are(count)} not read`,
  publisher_unreachable: (count) => `${counted(count, "publisher")} cannot be reached`,
};

function textOf(
  code: FindingCode,
  count: number,
  { findings: [first], path }: { readonly findings: readonly Finding[]; readonly path: string },
): string {
  const text = first?.text ?? FINDING_KINDS[code].meaning;
  const shown = printable(text.replace(` ${path}`, ` ${path.split("/").map(shownName).join("/")}`));
  const line = shown.charAt(0).toUpperCase() + shown.slice(1);
  return count > 1 ? `${line}, and ${count - 1} more` : line;
}

function ofAll(count: number, target: ToldTarget): string {
  return `${count} of ${counted(allOf(target))}`;
}

function allOf({ aggregate: { workers } }: ToldTarget): number {
  return Object.values(workers).reduce((sum, count) => sum + count, 0);
}

function counted(count: number, noun = "worker"): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

function are(count: number): string {
  return count === 1 ? "is" : "are";
}

/** What a finding says of its worker after the worker's name: "is stuck: 8 requests in flight, no forward pass for 20 s". */
export function aboutWorker({ text, worker }: Finding): string {
  return printable(text.replace(`worker ${worker} `, ""));
}
