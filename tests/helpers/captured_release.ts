import { instanceKey } from "../../lib/dynamo/instance_key.ts";
import type { Target } from "../../lib/dynamo/target.ts";
import { workerIdFromDecimal } from "../../lib/dynamo/worker_id.ts";
import type { StoredKey } from "../../tools/etcd_gateway.ts";
import { freePorts } from "../../tools/servers/ports.ts";
import { capturedKeys, natsEvents, zmqEvents } from "./captured_deployment.ts";
import { listNames, readLines } from "./captured_events.ts";
import { workerPage } from "./page_server.ts";
import type { Replay } from "./zmq_replay.ts";

/** Everything that was captured of one deployment, with the addresses of this machine. */
export interface CapturedChannels {
  readonly name: string;
  readonly target: Target;
  readonly keys: readonly StoredKey[];
  readonly cards: readonly StoredKey[];
  /** Replies to statistics questions, with the service that sent them. */
  readonly stats: readonly { readonly service: string; readonly body: string }[];
  readonly nats: readonly { readonly subject: string; readonly body: Uint8Array }[];
  readonly zmq: readonly Replay[];
  /** Pages under load, in the order of the workers' ids. */
  readonly pages: readonly string[];
}

const TESTDATA = new URL("../testdata/", import.meta.url);

/** The releases of which there are captures. */
export function capturedReleases(): string[] {
  const deployments = listNames(new URL("modern/", TESTDATA)).map((name) => name.split("-")[0]!);
  return [...new Set([...listNames(new URL("captures/", TESTDATA)), ...deployments])].toSorted();
}

/** All captures of a release but those of file discovery, whose keys are the same. */
export function capturesOf(release: string): CapturedChannels[] {
  const programs = listNames(new URL(`captures/${release}/`, TESTDATA)).map((name) =>
    ofProgram(release, name)
  );
  const modern = listNames(new URL("modern/", TESTDATA))
    .filter((name) => name.startsWith(`${release}-`) && !name.endsWith("-file-discovery"));
  return [...programs, ...modern.map((name) => ofDeployment(release, name))];
}

/** One program of a release with two workers. */
function ofProgram(release: string, program: string): CapturedChannels {
  const folder = new URL(`captures/${release}/${program}/`, TESTDATA);
  const read = (file: string) => Deno.readTextFileSync(new URL(file, folder));
  const files = listNames(folder);
  const stats = files.filter((file) => file.startsWith("stats-reply-")).map((file) => {
    const body = read(file);
    return { service: JSON.parse(body).name as string, body };
  });
  const hasLoad = stats.some(({ body }) => /"data":\s*\{/.test(body));
  const target = {
    namespace: "dynamo",
    component: program === "original-mock_worker"
      ? release === "0.3.2" ? "MyComponent" : "my_component"
      : "VllmWorker",
    endpoint: program === "original-mock_worker" ? "my_endpoint" : hasLoad ? "load_metrics" : "generate",
  };
  const events = readLines(new URL("events.jsonl", folder)).map((line) => {
    const { subject, body, body_b64 } = JSON.parse(line) as Record<string, string>;
    return {
      subject: subject!,
      body: body === undefined ? Uint8Array.fromBase64(body_b64!) : new TextEncoder().encode(body),
    };
  });
  return {
    name: `${release}/${program}`,
    target,
    ...splitKeys(capturedKeys(folder)),
    stats,
    nats: events.filter(({ subject }) => subject.startsWith("namespace.")),
    zmq: [],
    pages: program === "worker" ? pagesOf(release, "worker.txt") : [],
  };
}

/** A whole deployment: a frontend with a KV router and two workers. */
function ofDeployment(release: string, name: string): CapturedChannels {
  const folder = new URL(`modern/${name}/`, TESTDATA);
  const files = listNames(folder);
  const target = { namespace: "dynamo", component: "backend", endpoint: "generate" };
  const captured = files.includes("zmq-events.jsonl") ? zmqEvents(name) : new Map<string, string[][]>();
  const ports = freePorts(captured.size);
  const zmq = [...captured.values()].map((events, n) => ({ port: ports[n]!, frames: events.at(-1)! }));
  const local = new Map([...captured.keys()].map((endpoint, n) => [endpoint, `tcp://127.0.0.1:${ports[n]}`]));
  const keys = capturedKeys(folder).map(({ value, ...key }) => ({
    ...key,
    value: value.replace(/tcp:\/\/[\d.]+:\d+/, (endpoint) => local.get(endpoint) ?? endpoint),
  }));
  return {
    name,
    target,
    ...splitKeys([...keys, ...missingInstances(keys, target)]),
    stats: [],
    nats: files.includes("nats-events.jsonl") ? natsEvents(name) : [],
    zmq,
    pages: name.endsWith("-default") ? pagesOf(release, ".under-load.txt") : [],
  };
}

/** Of one capture the event channels alone are there: workers are those that say their forward passes. */
function missingInstances(keys: readonly StoredKey[], target: Target): StoredKey[] {
  if (keys.some(({ key }) => key.startsWith("v1/instances/"))) return [];
  return keys.filter(({ key }) => key.includes("/forward-pass-metrics/")).map(({ key }) => ({
    key: instanceKey("v1", target, workerIdFromDecimal(String(BigInt(`0x${key.split("/").at(-1)}`)))!),
    value: "",
    lease: "0",
  }));
}

function splitKeys(keys: readonly StoredKey[]): Pick<CapturedChannels, "keys" | "cards"> {
  const isCard = ({ key }: StoredKey) => key.startsWith("v1/mdc/");
  return { keys: keys.filter((key) => !isCard(key)), cards: keys.filter(isCard) };
}

function pagesOf(release: string, ending: string): string[] {
  const folder = new URL("worker_pages/", TESTDATA);
  if (!listNames(folder).includes(release)) return [];
  return listNames(new URL(`${release}/`, folder)).filter((file) => file.endsWith(ending))
    .map((file) => workerPage(`${release}/${file.slice(0, -".txt".length)}`));
}
