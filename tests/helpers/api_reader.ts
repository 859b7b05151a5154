import assert from "node:assert/strict";
import { PageReader } from "../../tools/page_reader.ts";
import { assertSchema } from "./api_schema.ts";
import { eventually } from "./eventually.ts";

/** What the tests read of the API; the whole is in docs/api. */
export interface Fleet {
  readonly seq: number;
  readonly at: string;
  readonly nats?: { readonly connected: boolean; readonly reconnects: number };
  readonly etcd?: { readonly kind: string; readonly connected: boolean };
  readonly connections?: readonly Connection[];
  readonly findings?: readonly Finding[];
  readonly findings_more?: number;
  readonly targets: readonly (FleetTarget & { readonly workers: readonly Worker[] })[];
}

export interface Finding {
  readonly code: string;
  readonly severity: string;
  readonly text: string;
  readonly hint: string;
  readonly since?: string;
  readonly target?: string;
  readonly worker?: string;
}

export interface Connection {
  readonly name: string;
  readonly kind: string;
  readonly connected: boolean;
  readonly reason?: string;
  readonly since: string;
}

/** What the stream says of its own time. */
export interface Alive {
  readonly now: string;
}

export interface Change extends Omit<Fleet, "targets"> {
  readonly targets: readonly (FleetTarget & {
    readonly changed: readonly Worker[];
    readonly numbers?: Numbers;
    readonly gone: readonly string[];
    readonly seen_at?: string;
    readonly not_seen: readonly string[];
  })[];
}

type Columns = Readonly<Record<string, readonly (number | null)[]>>;

/** What the change says of those of whom numbers alone changed. */
export interface Numbers {
  readonly id: readonly string[];
  readonly ranks?: Columns;
  readonly estimates?: Columns;
  readonly endpoints?: Columns;
  // deno-lint-ignore no-explicit-any -- the columns beside, by name
  readonly [name: string]: any;
}

interface FleetTarget {
  readonly namespace: string;
  readonly component: string;
  readonly endpoint: string;
  readonly up: boolean;
  readonly needs_nats: boolean;
  readonly aggregate: {
    readonly workers: Readonly<Record<string, number>>;
    readonly hit_rate?: { readonly isl_blocks: number; readonly overlap_blocks: number };
    readonly round?: Readonly<Record<"expected" | "answered" | "decoded" | "seconds", number>>;
    // deno-lint-ignore no-explicit-any -- the numbers beside, by name
    readonly [name: string]: any;
  };
  readonly losses?: { readonly workers: number; readonly at: string; readonly ids: readonly string[] };
  readonly changes_since?: string;
  /** In a state all that are remembered, in a change the new ones. */
  readonly changes?: readonly WorkerChange[];
}

export interface WorkerChange {
  readonly at: string;
  readonly id: string;
  readonly kind: string;
  readonly reason: string;
  readonly last_seen_at?: string;
}

export interface Worker {
  readonly id: string;
  readonly state: string;
  readonly channels: readonly string[];
  readonly last_seen_at?: string;
  // deno-lint-ignore no-explicit-any -- the schema has said what they are
  readonly [name: string]: any;
}

export async function readFleet(url: string): Promise<Fleet> {
  const response = await fetch(`${url}/api/v1/fleet`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/json");
  const fleet = await response.json();
  assertSchema("fleet", fleet);
  assert.equal(response.headers.get("snapshot-seq"), String(fleet.seq));
  return fleet;
}

/** The fleet and the page of one Snapshot. */
export async function readBoth(url: string): Promise<{ fleet: Fleet; page: PageReader }> {
  return await eventually(async () => {
    const [fleet, response] = await Promise.all([readFleet(url), fetch(`${url}/metrics`)]);
    const page = new PageReader(await response.text());
    assert.equal(response.headers.get("snapshot-seq"), String(fleet.seq));
    return { fleet, page };
  });
}
