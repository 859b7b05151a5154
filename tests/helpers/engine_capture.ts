import { workerIdFromHex } from "../../lib/dynamo/worker_id.ts";
import type { StoredKey } from "../../tools/etcd_gateway.ts";
import { listNames, readLines } from "./captured_events.ts";

/** A message of a captured engine. */
export interface EngineEvent {
  /** When it was said: before the load, under it, or after it. */
  readonly phase: "idle" | "load" | "after";
  /** Where it was said: a subject of NATS, or an endpoint of ZMQ. */
  readonly channel: string;
  readonly topic: string;
  readonly dpRank: number | undefined;
  /** A forward-pass metric that says only that no pass ended for a second. */
  readonly isHeartbeat: boolean;
  /** One frame on NATS, four on ZMQ, in hex. */
  readonly frames: readonly string[];
}

/** What a real engine of testdata/engines said. These were cut down: the first and the last messages of each kind are there. */
export interface EngineCapture {
  /** The worker, in decimal. */
  readonly worker: string;
  /** What etcd held, leases decimal. */
  readonly keys: readonly StoredKey[];
  readonly events: readonly EngineEvent[];
  readonly plane: "nats" | "zmq";
}

const FOLDER = new URL("../testdata/engines/", import.meta.url);

/** The folders of all captures. */
export function engineFolders(): string[] {
  return listNames(FOLDER);
}

/** @param folder below testdata/engines, of one that has keys */
export function readEngine(folder: string): EngineCapture {
  const entries = JSON.parse(Deno.readTextFileSync(new URL(`${folder}/etcd.json`, FOLDER))) as {
    readonly key: string;
    readonly value: string;
    readonly lease: string;
  }[];
  const keys = entries.map(({ key, value, lease }) => ({
    key,
    value,
    lease: BigInt(`0x${lease}`).toString(),
  }));
  const [, hex = ""] = keys.flatMap(({ key }) =>
    /^v1\/instances\/dynamo\/backend\/generate\/(\w+)$/.exec(key) ?? []
  );
  const file = listNames(new URL(`${folder}/`, FOLDER)).find((name) => name.endsWith("-events.jsonl"))!;
  return {
    worker: workerIdFromHex(hex)!,
    keys,
    events: readLines(new URL(`${folder}/${file}`, FOLDER)).map(toEvent),
    plane: file.startsWith("nats") ? "nats" : "zmq",
  };
}

/** @param name such as `1.2.1-vllm-0.20.1/worker1.metrics.after` */
export function enginePage(name: string): string {
  return Deno.readTextFileSync(new URL(`${name}.txt`, FOLDER));
}

function toEvent(line: string): EngineEvent {
  const { phase, subject, endpoint, body_hex, frames_hex, decoded } = JSON.parse(line);
  const payload = decoded?.payload ?? {};
  return {
    phase,
    channel: subject ?? endpoint,
    topic: decoded?.topic ?? subject.split(".").at(-1),
    dpRank: payload.dp_rank,
    isHeartbeat: payload.wall_time === 0,
    frames: frames_hex ?? [body_hex],
  };
}
