import { compareDeployment, type DeploymentRun } from "./deployment_run.ts";
import type { MockerOptions } from "./deployment.ts";
import type { Row } from "./comparison.ts";
import { compareEngine } from "./engine_run.ts";
import { ENGINE } from "./engine_venv.ts";
import type { Extent, Venv } from "./venv.ts";
import { compareWorkers, type WorkerRun } from "./worker_run.ts";

/** Programs of one release, started in one way. */
export interface Run {
  readonly release: string;
  /** How they are started, in a few words. */
  readonly how: string;
  readonly extent: Extent;
  compare(venv: Venv, signal: AbortSignal): Promise<readonly Row[]>;
}

function workers(release: string, how: string, run: WorkerRun): Run {
  return {
    release,
    how: `two workers, ${how}`,
    extent: "runtime",
    compare: (venv, signal) => compareWorkers(run, venv, signal),
  };
}

function deployment(
  release: string,
  how: string,
  run: Omit<DeploymentRun, keyof typeof USUAL> & Partial<typeof USUAL>,
): Run {
  const whole = { ...USUAL, ...run };
  const types = whole.mockers.map(({ type }) => type).join(", ");
  return {
    release,
    how: `frontend and mockers (${types}) under load, ${how}`,
    extent: "deployment",
    compare: (venv, signal) => compareDeployment(whole, venv, signal),
  };
}

const USUAL = {
  mockers: [
    { type: "aggregated", blocks: 2_000, slots: 4 },
    { type: "aggregated", blocks: 3_000, slots: 5 },
  ] as readonly MockerOptions[],
  nats: false,
  pages: false,
  hasTypes: true,
  hasEnginePages: true,
  needsWorkerUrls: false,
};

const APART: readonly MockerOptions[] = [
  { type: "prefill", blocks: 1_500, slots: 3 },
  { type: "decode", blocks: 2_000, slots: 4 },
  { type: "decode", blocks: 3_000, slots: 5 },
];

/** Every way by which load has ever come, on the releases that have it. */
export const RUNS: readonly Run[] = [
  workers("0.1.1", "stats", { endpoint: "load_metrics", channels: ["stats"] }),
  workers("0.3.2", "stats", { endpoint: "load_metrics", channels: ["stats"] }),
  workers("0.5.1", "stats and JSON events", { endpoint: "load_metrics", channels: ["stats", "event_nats"] }),
  workers("0.7.1", "JSON events", { endpoint: "generate", channels: ["stats", "event_nats"] }),
  deployment("1.2.1", "events on NATS, system ports and --worker-url", {
    nats: true,
    pages: true,
    hasTypes: false,
    hasEnginePages: false,
    needsWorkerUrls: true,
    channels: ["card", "event_nats", "http"],
  }),
  deployment("1.4.2", "events on ZMQ, no NATS server, system ports", {
    pages: true,
    channels: ["card", "event_zmq", "http"],
  }),
  deployment("1.4.2", "events on ZMQ, no NATS server", { channels: ["card", "event_zmq"] }),
  deployment("1.6.1", "events on ZMQ, no NATS server, system ports", {
    pages: true,
    channels: ["card", "event_zmq", "http"],
  }),
  deployment("1.6.1", "events on ZMQ, no NATS server", { channels: ["card", "event_zmq"] }),
  deployment("1.6.1", "disaggregated, events on ZMQ, no NATS server, system ports", {
    mockers: APART,
    pages: true,
    channels: ["card", "event_zmq", "http"],
  }),
  deployment("1.6.1", "DYN_EVENT_PLANE=nats", {
    nats: true,
    eventPlane: "nats",
    channels: ["card", "event_nats"],
  }),
];

/** A real engine. It is not one of RUNS, for it downloads 3 GB and takes up to ten minutes to start. */
export const ENGINE_RUN: Run = {
  release: ENGINE.release,
  how: `frontend and vLLM ${ENGINE.vllm} on CPU with two ranks, events on ZMQ, no NATS server, system port`,
  extent: "engine",
  compare: compareEngine,
};
