import type { FleetView, TargetView } from "../lib/view/fleet_view.ts";
import { pathOf, shownPath } from "../lib/view/fleet_view.ts";
import { registeredInstead } from "../lib/view/told_findings.ts";
import { counted, STATE_WORDS } from "./text.ts";
import type { Losses, Worker } from "../lib/exposition/api_v1.ts";
import { serversOf, storeOf } from "../lib/view/connections.ts";
import { printable } from "../lib/view/printable.ts";
import { waitingWeight } from "../lib/view/waiting.ts";
import { silentRanksSum, stuckWorkersNote } from "../lib/view/worker_notes.ts";

/** The answer to "is everything alive", worst first. */
export interface Verdict {
  readonly tone: "good" | "warn" | "bad";
  readonly line: string;
  readonly hint?: string;
  /** The only worker that is stuck, where the line is about it. */
  readonly stuck?: Worker;
  /** Who was lost, where the line is about it. */
  readonly losses?: Losses;
}

export function verdictOf(fleet: FleetView, target: TargetView): Verdict {
  const { silent, undecodable, no_data, discovered, responding } = target.aggregate.workers;
  const all = silent + undecodable + no_data + discovered + responding;
  const servers = serversOf(fleet);
  const listing = storeOf(fleet);
  const store = listing?.name === "etcd" ? "etcd" : `the ${listing?.name}`;
  const missesNats = fleet.missesNats(target);
  const missing = [
    ...(missesNats ? ["NATS"] : []),
    ...(listing?.connected === false ? [store] : []),
  ];
  if (missing.length > 0) {
    const why = servers.find(({ kind, connected }) => !connected && (kind !== "nats" || missesNats))?.reason;
    const effect = missesNats
      ? "Workers that answer over NATS cannot be asked: their numbers are not known until it is back."
      : "Who is registered is not known until it is back: workers count while they answer.";
    return {
      tone: "bad",
      line: `${upper(missing.join(" and "))} cannot be reached`,
      hint: why === undefined ? effect : `${upper(printable(why))}. ${effect}`,
    };
  }
  // While nobody is there it is not known what they need.
  const isUndecided = fleet.nats === undefined && all === 0;
  if (!target.up && !isUndecided) return notUp(fleet, target);
  if (all === 0) return noWorkers(fleet, target, store);
  if (silent > 0) {
    return {
      tone: "bad",
      line: `${silent} of ${counted(all, "worker")} ${silent === 1 ? "is" : "are"} silent`,
    };
  }
  const stuckLine = stuckWorkersNote(target.aggregate.workers_stuck);
  if (stuckLine !== undefined) return { tone: "bad", line: stuckLine, ...theStuckOne(target) };
  const ranksLine = silentRanksSum(target.aggregate.ranks_silent);
  if (ranksLine !== undefined) return { tone: "warn", line: ranksLine };
  const odd = ([["undecodable", undecodable], ["no_data", no_data]] as const).filter(([, count]) =>
    count > 0
  );
  if (odd.length > 0) {
    const parts = odd.map(([state, count]) => `${count} ${STATE_WORDS[state]}`);
    return { tone: "warn", line: `${parts.join(", ")} of ${counted(all, "worker")}` };
  }
  if (discovered > 0) {
    return {
      tone: "warn",
      line: `${discovered} of ${counted(all, "worker")} not heard yet`,
      hint: "They are registered, and nothing was heard of their load.",
    };
  }
  const { requests_waiting: waiting, slots_total } = target.aggregate;
  const queue = waitingWeight(waiting, slots_total) === "many"
    ? `, ${counted(waiting!, "request")} ${waiting === 1 ? "waits" : "wait"}`
    : "";
  const { losses } = target;
  if (losses !== undefined) {
    return { tone: "warn", line: `${all} alive${queue}, ${losses.workers} lost`, losses };
  }
  const line = all === 1 ? "The worker is alive" : `All ${counted(all, "worker")} are alive`;
  return { tone: queue === "" ? "good" : "warn", line: line + queue };
}

function theStuckOne({ rows, aggregate }: TargetView): Pick<Verdict, "stuck"> {
  const row = [...rows.values()].find(({ worker }) => worker.stuck_since !== undefined);
  return row === undefined || aggregate.workers_stuck !== 1 ? {} : { stuck: row.worker };
}

/** All is connected, and yet the target could not be looked at. */
function notUp({ nats }: FleetView, { needsNats, aggregate: { round } }: TargetView): Verdict {
  if (round?.failed) {
    return {
      tone: "bad",
      line: "The last round failed",
      hint: "Workers could not be asked over NATS: their load is not known until a round succeeds.",
    };
  }
  if (nats === undefined && needsNats) {
    return {
      tone: "bad",
      line: "Workers cannot be seen without NATS",
      hint: "They speak over NATS alone, and metrics was started with --no-nats.",
    };
  }
  return { tone: "warn", line: "Not looked at yet", hint: "Nothing was heard of the workers so far." };
}

function noWorkers(fleet: FleetView, target: TargetView, store: string): Verdict {
  const asked = fleet.nats?.connected !== true ? [] : ["nobody answers over NATS"];
  const listed = storeOf(fleet) === undefined ? [] : [`${store} lists none`];
  const reasons = [...listed, ...asked].join(" and ");
  const instead = registeredInstead(fleet.findings, pathOf(target.name));
  return {
    tone: "warn",
    line: `No workers found at ${shownPath(target.name)}`,
    hint: `${upper(reasons)}.${
      instead === undefined ? "" : ` ${instead}.`
    } Are namespace, component and endpoint right, and are workers running?`,
  };
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
