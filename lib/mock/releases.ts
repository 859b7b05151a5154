import type { InstanceKeyLayout } from "../dynamo/instance_key.ts";
import type { InstanceValueForm } from "../dynamo/instance_value.ts";
import type { LoadShape } from "../dynamo/load.ts";
import type { ModelCardForm } from "../dynamo/model_card_text.ts";
import type { ServiceForm } from "../dynamo/service_name.ts";
import type { WorkerPageForm } from "../dynamo/worker_page_text.ts";

/** What carries events. */
export const EVENT_PLANES = ["nats", "zmq"] as const;
export type EventPlane = typeof EVENT_PLANES[number];

/** How the workers of a release show themselves. */
export interface ReleaseTraits {
  readonly keyLayout: InstanceKeyLayout;
  readonly instanceValue: InstanceValueForm;
  readonly requests: RequestTraits;
  readonly loadShape: LoadShape;
  /** Of what a worker says of its load by itself; undefined where it waits to be asked. */
  readonly loadEvents?: LoadEventTraits;
  /**
   * `kv-hit-rate` events: of the original mock worker, which name no worker there is, or as a router sends them of this
   * one, in JSON with its rank or in an envelope.
   */
  readonly hitRates?: "original" | "json" | "envelope";
  readonly card?: ModelCardForm;
  /** What its HTTP page has, where it can have one. */
  readonly page?: WorkerPageForm;
  /** How long etcd keeps its keys when it is gone without a word. */
  readonly leaseSeconds: number;
}

/** How requests come, which decides what the value in etcd names; ours are answered by nobody. */
export type RequestTraits =
  | {
    readonly plane: "nats";
    readonly serviceForm: ServiceForm;
    /** The version that the NATS service names, which to 0.6.0 is not the release's. */
    readonly serviceVersion: string;
    /** Whether its statistics have the load. */
    readonly withLoad: boolean;
  }
  | { readonly plane: "tcp"; readonly path: "endpoint" | "target" };

export type LoadEventTraits =
  /** `kv_metrics` in JSON: the whole load, or the blocks in use. */
  | { readonly kind: "json"; readonly of: "load" | "blocks" }
  /** Envelopes on channels that etcd names. */
  | {
    readonly kind: "channels";
    /** To 1.2.1 a channel is the namespace's or the component's and has the worker's id, then the endpoint's and a random one. */
    readonly scope: "component" | "endpoint";
    /** Blocks in use have a field of their own. */
    readonly hasUsedBlocks: boolean;
    readonly hasForwardPasses: boolean;
    /** Where nobody chooses. */
    readonly plane: EventPlane;
  };

const KV_STATS_PAGE: WorkerPageForm = { withKvStats: true, withWorkerId: false, withVllm: false };

/** The releases that a mock worker can be of: one of each generation. */
export const RELEASES = {
  "0.1.0": asked("A", "components", "flat7"),
  "0.1.1": asked("B", "components", "flat7"),
  "0.2.1": asked("C", "components", "flat7"),
  "0.3.0": asked("C", "instances", "flat8"),
  "0.3.2": asked("C", "instances", "nested"),
  "0.6.0": { ...asked("C", "v1", "nested"), page: KV_STATS_PAGE },
  "0.7.1": {
    keyLayout: "v1",
    instanceValue: { kind: "compact", with: [] },
    requests: { plane: "nats", serviceForm: "C", serviceVersion: "0.7.1", withLoad: false },
    loadShape: "nested",
    loadEvents: { kind: "json", of: "load" },
    hitRates: "json",
    page: KV_STATS_PAGE,
    leaseSeconds: 10,
  },
  "0.8.1": {
    keyLayout: "v1",
    instanceValue: { kind: "compact", with: [] },
    requests: { plane: "tcp", path: "endpoint" },
    loadShape: "nested",
    loadEvents: { kind: "json", of: "blocks" },
    page: KV_STATS_PAGE,
    leaseSeconds: 10,
  },
  "0.9.1": {
    keyLayout: "v1",
    instanceValue: { kind: "compact", with: [] },
    requests: { plane: "tcp", path: "endpoint" },
    loadShape: "nested",
    loadEvents: {
      kind: "channels",
      scope: "component",
      hasUsedBlocks: false,
      hasForwardPasses: false,
      plane: "nats",
    },
    hitRates: "envelope",
    card: { withStartRank: false, withWorkerType: false },
    page: { withKvStats: false, withWorkerId: false, withVllm: false },
    leaseSeconds: 10,
  },
  "1.2.1": {
    keyLayout: "v1",
    instanceValue: { kind: "compact", with: ["device_type"] },
    requests: { plane: "tcp", path: "endpoint" },
    loadShape: "nested",
    loadEvents: {
      kind: "channels",
      scope: "component",
      hasUsedBlocks: true,
      hasForwardPasses: true,
      plane: "nats",
    },
    card: { withStartRank: true, withWorkerType: false },
    page: { withKvStats: false, withWorkerId: true, withVllm: false },
    leaseSeconds: 10,
  },
  "1.4.2": sinceZmq({ path: "endpoint", leaseSeconds: 10 }),
  "1.6.1": sinceZmq({ path: "target", leaseSeconds: 30 }),
} as const satisfies Readonly<Record<string, ReleaseTraits>>;

export type Release = keyof typeof RELEASES;

export const DEFAULT_RELEASE: Release = "0.1.1";

export function isRelease(text: string): text is Release {
  return Object.hasOwn(RELEASES, text);
}

export function releaseTraits(release: Release): ReleaseTraits {
  return RELEASES[release];
}

/** The plane of a release's events where nobody chooses another. */
export function defaultEventPlane({ loadEvents }: ReleaseTraits): EventPlane {
  return loadEvents?.kind === "channels" ? loadEvents.plane : "nats";
}

/** Whether the plane of a release's events can be chosen. */
export function hasEventChannels({ loadEvents }: ReleaseTraits): boolean {
  return loadEvents?.kind === "channels";
}

/** The generations that say their load when they are asked for statistics. */
function asked(serviceForm: ServiceForm, keyLayout: InstanceKeyLayout, loadShape: LoadShape): ReleaseTraits {
  return {
    keyLayout,
    instanceValue: { kind: "pretty", idField: keyLayout === "components" ? "lease_id" : "instance_id" },
    requests: { plane: "nats", serviceForm, serviceVersion: "0.0.1", withLoad: true },
    loadShape,
    hitRates: "original",
    leaseSeconds: 10,
  };
}

/** The generation that needs no NATS. */
function sinceZmq(
  { path, leaseSeconds }: { readonly path: "endpoint" | "target"; readonly leaseSeconds: number },
): ReleaseTraits {
  return {
    keyLayout: "v1",
    instanceValue: { kind: "compact", with: ["device_type", "request_plane_codec"] },
    requests: { plane: "tcp", path },
    loadShape: "nested",
    loadEvents: {
      kind: "channels",
      scope: "endpoint",
      hasUsedBlocks: true,
      hasForwardPasses: true,
      plane: "zmq",
    },
    card: { withStartRank: true, withWorkerType: true },
    page: { withKvStats: false, withWorkerId: true, withVllm: true },
    leaseSeconds,
  };
}
