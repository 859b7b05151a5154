import type { FleetView, TargetView } from "./fleet_view.ts";
import { pathOf } from "./fleet_view.ts";
import { counted, STATE_WORDS } from "./text.ts";

/** The answer to "is everything alive", worst first. */
export interface Verdict {
  readonly tone: "good" | "warn" | "bad";
  readonly line: string;
  readonly hint?: string;
}

export function verdictOf(fleet: FleetView, target: TargetView): Verdict {
  const { silent, undecodable, no_data, discovered, responding } = target.aggregate.workers;
  const all = silent + undecodable + no_data + discovered + responding;
  const store = fleet.etcd?.kind === "file" ? "the file store" : "etcd";
  const missing = [
    ...(fleet.nats?.connected === false ? ["NATS"] : []),
    ...(fleet.etcd?.connected === false ? [store] : []),
  ];
  if (missing.length > 0) {
    return {
      tone: "bad",
      line: `${upper(missing.join(" and "))} cannot be reached`,
      hint: fleet.nats?.connected === false
        ? "Workers that answer over NATS cannot be asked: their numbers are not known until it is back."
        : "Who is registered is not known until it is back: workers count while they answer.",
    };
  }
  if (all === 0) return noWorkers(fleet, target, store);
  if (silent > 0) {
    return {
      tone: "bad",
      line: `${silent} of ${counted(all, "worker")} ${silent === 1 ? "is" : "are"} silent`,
    };
  }
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
  return {
    tone: "good",
    line: all === 1 ? "The worker is alive" : `All ${counted(all, "worker")} are alive`,
  };
}

function noWorkers(fleet: FleetView, target: TargetView, store: string): Verdict {
  const asked = fleet.nats === undefined ? [] : ["nobody answers over NATS"];
  const listed = fleet.etcd === undefined ? [] : [`${store} lists none`];
  const reasons = [...listed, ...asked].join(" and ");
  return {
    tone: "warn",
    line: `No workers found at ${pathOf(target.name)}`,
    hint: `${upper(reasons)}. Are namespace, component and endpoint right, and are workers running?`,
  };
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
