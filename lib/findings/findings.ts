import type { Target } from "../dynamo/target.ts";
import { targetPath } from "../dynamo/target.ts";
import type { WorkerId } from "../dynamo/worker_id.ts";
import {
  type Connection,
  connectionOf,
  type FileNeed,
  type Snapshot,
  type TargetSnapshot,
} from "../fleet/snapshot.ts";
import type { WorkerSnapshot } from "../fleet/worker_snapshot.ts";
import { totalsOf } from "../fleet/totals.ts";
import { partialText, stuckText } from "../fleet/worker_texts.ts";
import type { Instant } from "../timing.ts";
import { FINDING_CODES, FINDING_KINDS, type FindingCode, type Severity } from "./codes.ts";
import { manyWait } from "./waiting.ts";

/** Something that is wrong, or good to know. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** Since when, as far as that is known. */
  readonly since?: Instant | undefined;
  readonly target?: Target;
  readonly worker?: WorkerId;
  /** What is the matter, in a line. */
  readonly text: string;
  /** The cause where it is known, else what to do. */
  readonly hint: string;
}

/** The findings of one Snapshot. */
export interface Findings {
  /** Worst first; at most `MAX_LISTED`. */
  readonly listed: readonly Finding[];
  /** How many there are of each code, listed or not. */
  readonly counts: ReadonlyMap<FindingCode, number>;
  /** The same by what they are about: a target's path, or "" for what is about no single target. Only codes that there are. */
  readonly countsOf: ReadonlyMap<string, ReadonlyMap<FindingCode, number>>;
}

const MAX_LISTED = 100;

/** What is wrong by this Snapshot, decided here and nowhere else. */
export function findingsOf(snapshot: Snapshot): Findings {
  let findings = made.get(snapshot);
  if (findings === undefined) made.set(snapshot, findings = find(snapshot));
  return findings;
}

/** Several outputs ask for the findings of one Snapshot. */
const made = new WeakMap<Snapshot, Findings>();

function find(snapshot: Snapshot): Findings {
  const found = new Collected();
  findConnections(snapshot, found);
  for (const target of snapshot.targets) findTarget(target, snapshot, found);
  return found.finish();
}

/** How many reasons of one code `/readyz` gives. */
const MAX_REASONS = 5;

/** Why the Snapshot does not show all there is; empty if it does. */
export function degradedReasons(snapshot: Snapshot): string[] {
  const { listed, counts } = findingsOf(snapshot);
  return FINDING_CODES.filter((code) => FINDING_KINDS[code].degrades).flatMap((code) => {
    const texts = listed.filter((finding) => finding.code === code).slice(0, MAX_REASONS).map(({ text }) =>
      text
    );
    const more = counts.get(code)! - texts.length;
    return more > 0 ? [...texts, `${more} more: ${code}`] : texts;
  });
}

/** At which targets nobody is registered, and what is registered instead, if anything is. */
export function emptyTargets(snapshot: Snapshot): string[] {
  return findingsOf(snapshot).listed.filter(({ code }) => code === "nobody_registered")
    .map(({ text, hint }) => hint === FINDING_KINDS.nobody_registered.action ? text : `${text}; ${hint}`);
}

/** Takes findings in; keeps as many of each code as can be listed. */
class Collected {
  readonly #byCode = new Map<FindingCode, Finding[]>();
  readonly #counts = new Map<FindingCode, number>(FINDING_CODES.map((code) => [code, 0]));
  readonly #countsOf = new Map<string, Map<FindingCode, number>>();

  add(
    code: FindingCode,
    more: Partial<Omit<Finding, "code" | "severity">> & { readonly text: string },
  ): void {
    const count = this.#counts.get(code)!;
    this.#counts.set(code, count + 1);
    const about = more.target === undefined ? "" : targetPath(more.target);
    const counts = this.#countsOf.getOrInsertComputed(about, () => new Map());
    counts.set(code, (counts.get(code) ?? 0) + 1);
    if (count >= MAX_LISTED) return;
    const { severity, action } = FINDING_KINDS[code];
    this.#byCode.getOrInsertComputed(code, () => []).push({ code, severity, hint: action, ...more });
  }

  finish(): Findings {
    const all = FINDING_CODES.flatMap((code) => this.#byCode.get(code) ?? []);
    return { listed: all.slice(0, MAX_LISTED), counts: this.#counts, countsOf: this.#countsOf };
  }
}

/** A publisher is not called unreachable sooner: workers that end or start anew are away for a moment. */
const UNREACHABLE_MS = 3_000;

function findConnections(snapshot: Snapshot, found: Collected): void {
  const { at, connections, targets } = snapshot;
  const [nats, store] = [connectionOf("nats", snapshot), connectionOf("store", snapshot)];
  const needsNats = targets.some((target) => target.needsNats);
  if (nats === undefined && needsNats) {
    found.add("nats_left_out", { text: "workers need NATS, which is left out" });
  }
  if (nats?.connected === false) {
    const code = needsNats ? "nats_disconnected" : "nats_not_needed";
    found.add(code, { text: "NATS is not connected", ...causeOf(nats) });
  }
  if (store?.connected === false) {
    found.add("store_disconnected", {
      text: store.away ?? `${store.name} is not connected`,
      ...causeOf(store),
    });
  }
  for (const what of nats?.refused ?? []) found.add("right_missing", { text: `NATS refuses us: ${what}` });
  if (nats?.connected && targets.some(({ up, lastRound }) => lastRound && !up)) {
    found.add("round_failed", { text: "the last round failed" });
  }
  if (snapshot.files !== undefined) findFileLimit(snapshot.files, found);
  for (const { role, name, reason, since, connected } of connections) {
    if (role !== "publisher" || connected || at.monotonicMs - since.monotonicMs < UNREACHABLE_MS) continue;
    found.add("publisher_unreachable", {
      text: `the publisher at ${name} cannot be reached`,
      since,
      ...(reason !== undefined && { hint: reason }),
    });
  }
}

/** What servers, readers, handshakes and Deno itself take. */
const OTHER_FILES = 200;

function findFileLimit({ limit, publishers, pages }: FileNeed, found: Collected): void {
  const needed = publishers + pages + OTHER_FILES;
  if (needed <= limit) return;
  found.add("file_limit_low", {
    text: `${limit} files may be open, and ${needed} are needed: for ${
      counted(publishers, "publisher")
    } and ${counted(pages, "page")}`,
  });
}

function causeOf({ reason, since }: Connection): Pick<Finding, "since"> & { readonly hint?: string } {
  return { since, ...(reason !== undefined && { hint: reason }) };
}

function findTarget(target: TargetSnapshot, snapshot: Snapshot, found: Collected): void {
  const { workers, workersByState, lastRound, needsNats, changes: { losses } } = target;
  const path = targetPath(target.target);
  const about = { target: target.target };
  const isNothingHeard = workersByState.discovered === workers.length &&
    !workers.some(({ channels }) => channels.size > 0);
  if (workers.length === 0) findNobody(target, snapshot, found);
  else if (isNothingHeard) {
    found.add("nothing_heard", {
      ...about,
      text: `${counted(workers.length, "worker")} ${
        workers.length === 1 ? "is" : "are"
      } registered at ${path}, and none was heard`,
    });
  }
  if (lastRound?.answeredTwice) {
    found.add("id_twice", {
      ...about,
      text: `${counted(lastRound.answeredTwice, "worker")} at ${path} answered the last round twice`,
    });
  }
  if (!needsNats && workers.length > 0 && lastRound?.failed === false && lastRound.answered === 0) {
    found.add("stats_not_used", { ...about, text: `the workers at ${path} do not answer over NATS` });
  }
  const { requestsWaiting, slotsTotal } = totalsOf(workers);
  if (manyWait(requestsWaiting, slotsTotal)) {
    found.add("requests_waiting", {
      ...about,
      text: `${counted(requestsWaiting!, "request")} ${requestsWaiting === 1 ? "waits" : "wait"} at ${path}`,
    });
  }
  for (const loss of losses) {
    const [worker] = loss.workers;
    const text = loss.count === 1
      ? `worker ${worker} was lost`
      : `${loss.count} workers were lost, ${worker} first`;
    found.add("worker_lost", { ...about, worker: worker!, since: loss.at, text });
  }
  for (const worker of workers) {
    findWorker(worker, target.target, found);
    if (worker.state === "discovered" && !isNothingHeard) {
      found.add("worker_unheard", {
        ...about,
        worker: worker.id,
        text: `worker ${worker.id} was not heard yet`,
      });
    }
  }
}

function findNobody(
  { target, up, membershipFromEtcd, registeredInstead }: TargetSnapshot,
  snapshot: Snapshot,
  found: Collected,
): void {
  const path = targetPath(target);
  if (membershipFromEtcd) {
    found.add("nobody_registered", {
      target,
      text: `no worker is registered at ${path}`,
      ...(registeredInstead.length > 0 && { hint: insteadText(registeredInstead) }),
    });
  } else if (connectionOf("store", snapshot) === undefined && up) {
    found.add("nobody_answers", { target, text: `nobody answers at ${path}` });
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** `registered are a/b/c, d/e/f`: the target may be mistyped. */
function insteadText(names: readonly string[]): string {
  return `registered ${names.length === 1 ? "is" : "are"} ${names.join(", ")}`;
}

function findWorker(worker: WorkerSnapshot, target: Target, found: Collected): void {
  const {
    id,
    state,
    hasFallenSilent,
    numbers,
    stuckSeconds,
    stuckSince,
    coverage,
    ranks,
    pageProblem,
    lastAnswerAt,
  } = worker;
  const add = (code: FindingCode, text: string, since?: Instant) =>
    found.add(code, { target, worker: id, since, text: `worker ${id} ${text}` });
  if (hasFallenSilent) add("worker_silent", "is silent", lastAnswerAt);
  if (state === "undecodable") add("worker_unreadable", "answers with a record that is no load");
  if (state === "no_data") add("worker_without_load", "answers without load");
  if (stuckSeconds !== undefined) {
    add("worker_stuck", `is stuck: ${stuckText(numbers.requestsInFlight ?? 0, stuckSeconds)}`, stuckSince);
  }
  for (const { dpRank, isSilent } of ranks) if (isSilent) add("rank_silent", `has a silent rank: ${dpRank}`);
  const partial = coverage && coverage.heard > 0 ? partialText(coverage.heard, coverage.expected) : undefined;
  if (partial !== undefined) add("coverage_partial", `shows numbers of ${partial}`);
  if (pageProblem !== undefined) add("page_unreadable", `has a page that is not read: ${pageProblem}`);
}
