import assert from "node:assert/strict";
import { type EtcdServer, leads } from "../../tools/servers/etcd.ts";
import type { Deployment } from "./deployment.ts";

/** The members of a cluster, its leader last: `metrics` begins with the first. */
export async function leaderLast(members: readonly EtcdServer[]): Promise<EtcdServer[]> {
  const sorted: EtcdServer[] = [];
  for (const member of members) {
    if (await leads(member)) sorted.push(member);
    else sorted.unshift(member);
  }
  return sorted;
}

/** Looks at the page again and again for `forMs`: etcd is connected in at least 99 % of the looks. */
export async function staysConnected(deployment: Deployment, { forMs }: { forMs: number }): Promise<void> {
  const deadline = performance.now() + forMs;
  const seen: number[] = [];
  while (performance.now() < deadline) {
    seen.push((await deployment.page()).value("dynamo_metrics_etcd_connected")!);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const connected = seen.filter((value) => value === 1).length;
  assert.ok(connected >= 0.99 * seen.length, `connected in ${connected} of ${seen.length} looks`);
}

/** From the first line of the log to the one that says that etcd is connected, in ms. */
export function msToConnect(log: string): number {
  const lines = log.split("\n").filter((line) => /^\d{4}-/.test(line));
  const timeOf = (line: string) => Date.parse(line.split(" ")[0]!);
  return timeOf(lines.find((line) => line.includes("Connected to etcd"))!) - timeOf(lines[0]!);
}
