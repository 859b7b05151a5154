import type { Inspector } from "../../tools/inspector.ts";

/** What V8's CPU profile has that is needed here, as the inspector gives it. Times are in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly samples: readonly number[];
  /** From the sample before, or the start, to each sample. */
  readonly timeDeltas: readonly number[];
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  /** What it called, by id. */
  readonly children?: readonly number[];
}

/** A profile and the moments, on its clock, in which the event loop turned. */
export interface TurnedProfile extends CpuProfile {
  readonly turnsUs: readonly number[];
  /** How long the thread had waited for a core until each of them, as the kernel counts it; all 0 where that is not known. */
  readonly waitedUs: readonly number[];
}

/** A place in the code and the time spent there, its callees not counted. */
export interface Place {
  readonly place: string;
  readonly ms: number;
}

/**
 * What the loop ran without serving anyone else. Garbage collection may come at any moment, and is told apart. Time without
 * a core is left out.
 */
export interface Piece {
  readonly ms: number;
  readonly garbageMs: number;
  readonly places: readonly Place[];
}

const SAMPLE_US = 200;
/** After a longer time without a sample the kernel is asked whether the thread had a core. */
const GAP_US = 2_000;
/** How long V8 may take until it takes samples. */
const SETTLE_MS = 100;
const GARBAGE = "(garbage collector)";
/** V8's own names for time in no code: the event loop's native part, waiting. */
const OUTSIDE: ReadonlySet<string> = new Set(["(program)", "(idle)", "(root)"]);
/** The function by which the program's clock is found in the profile. */
const MARK = "benchMark";

/** A timer of 1 ms notes each turn of the loop; a function that runs for 20 ms notes when it began. */
const BEGIN = `(() => {
  const bytes = new Uint8Array(64);
  const decoder = new TextDecoder();
  let file;
  try { file = Deno.openSync("/proc/thread-self/schedstat"); } catch {} // Elsewhere it is not known.
  const waitedNs = () => {
    if (file === undefined) return 0;
    file.seekSync(0, Deno.SeekMode.Start);
    return Number(decoder.decode(bytes.subarray(0, file.readSync(bytes))).split(" ")[1]);
  };
  globalThis.benchTurns = [];
  globalThis.benchTimer = setInterval(() => {
    let nowMs, waited;
    do [waited, nowMs] = [waitedNs(), performance.now()]; while (waitedNs() !== waited); // It may wait here too.
    globalThis.benchTurns.push([nowMs, waited / 1e3]);
  }, 1);
  return (function ${MARK}() {
    const startMs = performance.now();
    while (performance.now() < startMs + 20);
    return startMs;
  })();
})()`;

const END = `(() => {
  clearInterval(globalThis.benchTimer);
  const turns = globalThis.benchTurns;
  delete globalThis.benchTurns;
  delete globalThis.benchTimer;
  return turns;
})()`;

/** Profiles a program while `act` runs. */
export async function profiled(inspector: Inspector, act: () => Promise<unknown>): Promise<TurnedProfile> {
  await inspector.call("Profiler.enable");
  await inspector.call("Profiler.setSamplingInterval", { interval: SAMPLE_US });
  await inspector.call("Profiler.start");
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const markMs = await inspector.evaluate(BEGIN) as number;
  await act();
  const turns = await inspector.evaluate(END) as [nowMs: number, waitedUs: number][];
  const { profile } = await inspector.call("Profiler.stop") as { profile: CpuProfile };
  await inspector.call("Profiler.disable");
  const marked = called(profile.nodes, MARK);
  const times = timeline(profile);
  const mark = times.find(({ node }) => marked.has(node.id));
  if (mark === undefined) throw new Error("the profile does not have its mark");
  const turnsUs = turns.map(([ms]) => mark.fromUs + (ms - markMs) * 1_000);
  const waitedUs = turns.map(([, us]) => us);
  const [root] = profile.nodes;
  // What is before the first turn and after the last is the measuring's own.
  const samples = times.map(({ node, fromUs }) =>
    fromUs >= turnsUs[0]! && fromUs < turnsUs.at(-1)! ? node.id : root!.id
  );
  return { ...profile, samples, turnsUs, waitedUs };
}

/** What a reader of a missed goal wants: what the longest pieces are made of, then where all the time goes. */
export function profileText(profile: TurnedProfile): string[] {
  const listed = ({ place, ms }: Place) => `${ms.toFixed(1)} ms ${place}`;
  const longest = pieces(profile).slice(0, 3).map(({ ms, places }) =>
    `a piece of ${ms.toFixed(1)} ms: ${places.slice(0, 5).map(listed).join("; ")}`
  );
  return [...longest, ...places(profile).slice(0, 25).map(listed)];
}

/** Where the time went, the most first, idle time left out. */
export function places(profile: CpuProfile): Place[] {
  const spent = new Map<string, number>();
  for (const { node, us } of timeline(profile)) if (!isOutside(node)) add(spent, placeOf(node), us);
  return ranked(spent);
}

/** The stretches of code between two turns of the loop, or moments outside of all code, the longest first. */
export function pieces(profile: TurnedProfile): Piece[] {
  const found: Piece[] = [];
  const { turnsUs, waitedUs } = profile;
  let turn = 0;
  let lostUs = 0;
  let us = 0;
  let spent = new Map<string, number>();
  const end = () => {
    const garbageMs = (spent.get(GARBAGE) ?? 0) / 1_000;
    if (us > 0) found.push({ ms: us / 1_000, garbageMs, places: ranked(spent) });
    us = 0;
    spent = new Map();
  };
  const take = (node: ProfileNode, takenUs: number) => {
    const gapUs = takenUs > GAP_US ? takenUs - SAMPLE_US : 0;
    const waited = (waitedUs[turn] ?? 0) - (waitedUs[turn - 1] ?? Infinity) - lostUs;
    const withoutCoreUs = Math.max(0, Math.min(gapUs, waited));
    lostUs += withoutCoreUs;
    us += takenUs - withoutCoreUs;
    add(spent, placeOf(node), takenUs - withoutCoreUs);
  };
  for (const { node, fromUs, us } of timeline(profile)) {
    const toUs = fromUs + us;
    for (let atUs = fromUs; atUs < toUs;) {
      const turnUs = Math.max(atUs, turnsUs[turn] ?? Infinity);
      const untilUs = Math.min(turnUs, toUs);
      if (isOutside(node)) end();
      else take(node, untilUs - atUs);
      atUs = untilUs;
      if (turnUs > toUs) continue;
      end();
      turn++;
      lostUs = 0;
    }
  }
  end();
  return found.toSorted((a, b) => b.ms - a.ms);
}

/** The nodes of a function of that name and of all that it called. */
function called(nodes: readonly ProfileNode[], functionName: string): Set<number> {
  const found = new Set<number>();
  for (const { id, callFrame, children = [] } of nodes) { // Callers come before what they call.
    if (callFrame.functionName === functionName) found.add(id);
    if (found.has(id)) { for (const child of children) found.add(child); }
  }
  return found;
}

/** Each sample, when it was taken and the time until the next. */
function timeline(
  { nodes, startTime, samples, timeDeltas }: CpuProfile,
): { node: ProfileNode; fromUs: number; us: number }[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  let fromUs = startTime;
  return samples.map((id, n) => {
    fromUs += timeDeltas[n]!;
    return { node: byId.get(id)!, fromUs, us: timeDeltas[n + 1] ?? 0 };
  });
}

function isOutside({ callFrame: { functionName } }: ProfileNode): boolean {
  return OUTSIDE.has(functionName);
}

/** Function and file; without lines, for those of TypeScript are not known here. */
function placeOf({ callFrame: { functionName, url } }: ProfileNode): string {
  const file = /(?:lib|node_modules\/\.deno|ext:|node:)[^?]*$/.exec(url)?.[0] ?? url;
  const name = functionName || "(anonymous)";
  if (file === "") return name;
  return `${name} ${file.replace(/^node_modules\/\.deno\/[^/]+\/node_modules\//, "npm:")}`;
}

function add(spent: Map<string, number>, place: string, us: number): void {
  spent.set(place, (spent.get(place) ?? 0) + us);
}

function ranked(spent: ReadonlyMap<string, number>): Place[] {
  return [...spent].map(([place, us]) => ({ place, ms: us / 1_000 })).toSorted((a, b) => b.ms - a.ms);
}
