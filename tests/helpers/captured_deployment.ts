import { putLeasedKeys, type StoredKey } from "../../tools/etcd_gateway.ts";
import { Program } from "../../tools/program.ts";
import { type EtcdServer, startEtcd } from "../../tools/servers/etcd.ts";
import { freePorts } from "../../tools/servers/ports.ts";
import type { Replay } from "./zmq_replay.ts";

/** The workers of the capture 1.6.1-default, and the blocks in use that they say last. */
export const FIRST = "2228897039435551493";
export const SECOND = "2228897039435551495";
export const BLOCKS = { [FIRST]: 63, [SECOND]: 61 };

/** The frames of one captured message, in hex. */
export type Frames = readonly string[];

export interface CapturedDeploymentOptions {
  /** Where the workers' pages are, in the order of the captured ports from 28081 on; nobody is there where that is left out. */
  readonly pages?: readonly string[];
  /** The port that etcd names for a publisher, when not its own: that of a proxy. */
  readonly through?: (channel: Channel) => number;
}

/** A channel on ZMQ: whose it is, where its publisher is, and what was captured there. */
export interface Channel {
  readonly worker: string;
  readonly topic: string;
  readonly port: number;
  readonly events: readonly Frames[];
}

/**
 * A captured deployment whose events went over ZMQ, on a real etcd and real publishers, one program a worker: its keys
 * under its leases, and the last event of each channel, said again and again.
 */
export class CapturedDeployment implements AsyncDisposable {
  readonly #ends = new AsyncDisposableStack();
  readonly #publishers = new Map<string, Program>();

  private constructor(
    readonly etcd: EtcdServer,
    /** What etcd is given: the captured keys, with the addresses of this machine. */
    readonly keys: readonly StoredKey[],
    private readonly channels: readonly Channel[],
  ) {
    this.#ends.use(etcd);
  }

  /** @param folder below testdata/modern */
  static async start(folder: string, options: CapturedDeploymentOptions = {}): Promise<CapturedDeployment> {
    const { pages = [], through = ({ port }) => port } = options;
    const captured = exists(folder, "zmq-events.jsonl") ? zmqEvents(folder) : new Map<string, Frames[]>();
    const ports = freePorts(captured.size);
    const local = new Map([...captured.keys()].map((endpoint, n) => [endpoint, ports[n]!]));
    const channels: Channel[] = [];
    const etcd = await startEtcd();
    const keys = capturedKeys(folder).map(({ key, value, lease }) => ({
      key,
      value: value.replace(/tcp:\/\/[\d.]+:\d+/, (endpoint) => {
        const port = local.get(endpoint);
        if (port === undefined) return endpoint;
        const [, topic = ""] = /\/topic\/([^/]+)/.exec(key)!;
        const channel = { worker: lease, topic, port, events: captured.get(endpoint)! };
        channels.push(channel);
        return `tcp://127.0.0.1:${through(channel)}`;
      }).replace(/("tcp":")[\d.]+:/, (_, name) => `${name}127.0.0.1:`).replaceAll(
        /http:\/\/[\d.]+:(\d+)(?=\/v1\/metadata\/)/g,
        (_, port) => pages[Number(port) - 28_081] ?? "http://127.0.0.1:1",
      ),
      lease,
    }));
    const deployment = new CapturedDeployment(etcd, keys, channels);
    await deployment.register();
    await deployment.publish();
    return deployment;
  }

  /** Puts all keys into an etcd that has none of them. */
  async register(): Promise<void> {
    await putLeasedKeys(this.etcd.url, this.keys);
  }

  /** Starts the publishers of all workers, or of one, which were ended; `say` says what of a channel. */
  async publish(
    worker?: string,
    say: (channel: Channel) => Omit<Replay, "port"> = ({ events }) => ({ frames: events.at(-1)! }),
  ): Promise<void> {
    const workers = worker === undefined ? new Set(this.channels.map(({ worker }) => worker)) : [worker];
    await Promise.all([...workers].map(async (worker) => {
      const channels = this.channels.filter((channel) => channel.worker === worker);
      const replays = channels.map((channel) => ({ port: channel.port, ...say(channel) }));
      this.#publishers.set(worker, await startReplays(replays));
    }));
  }

  /** Where a worker says something. */
  channel(worker: string, topic: string): Channel {
    return this.channels.find((channel) => channel.worker === worker && channel.topic === topic)!;
  }

  /** The process that publishes what a worker says. */
  publisher(worker: string): Program {
    return this.#publishers.get(worker)!;
  }

  /** Publishers stay, and say nothing more. */
  async quiet(): Promise<void> {
    for (const publisher of this.#publishers.values()) {
      Deno.kill(publisher.pid, "SIGUSR2");
      await publisher.logged(/quiet/);
    }
  }

  /** Kills the publishers of all workers, or of one. */
  async killPublishers(worker?: string): Promise<void> {
    const publishers = worker === undefined ? [...this.#publishers.values()] : [this.publisher(worker)];
    await Promise.all(publishers.map((publisher) => publisher.stop("SIGKILL")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killPublishers();
    await this.#ends[Symbol.asyncDispose]();
  }
}

/** A program that publishes, once it has bound its ports. */
export async function startReplays(replays: readonly Replay[]): Promise<Program> {
  const script = new URL("zmq_replay.ts", import.meta.url).href;
  const args = ["run", "-A", "--no-check", script, JSON.stringify(replays)];
  const program = new Program({ command: Deno.execPath(), args });
  for (const { port } of replays) await program.logged(new RegExp(`bound ${port}`));
  return program;
}

/** What was captured at each endpoint, in its order. */
export function zmqEvents(folder: string): Map<string, Frames[]> {
  const events = new Map<string, Frames[]>();
  for (const line of read(folder, "zmq-events.jsonl").trim().split("\n")) {
    const { endpoint, frames_hex } = JSON.parse(line) as { endpoint: string; frames_hex: Frames };
    events.set(endpoint, [...events.get(endpoint) ?? [], frames_hex]);
  }
  return events;
}

/** The captured messages on NATS, in their order. */
export function natsEvents(folder: string): { subject: string; body: Uint8Array }[] {
  const lines = read(folder, "nats-events.jsonl").trim().split("\n");
  return lines.map((line) => {
    const { subject, body_hex } = JSON.parse(line) as { subject: string; body_hex: string };
    return { subject, body: Uint8Array.fromHex(body_hex) };
  });
}

/** What etcd held, leases decimal, 0 where the capture does not say. A name is below testdata/modern. */
export function capturedKeys(folder: string | URL): StoredKey[] {
  const url = typeof folder === "string" ? new URL(`../testdata/modern/${folder}/`, import.meta.url) : folder;
  const { kvs } = JSON.parse(Deno.readTextFileSync(new URL("etcd.json", url))) as {
    kvs: { key: string; value: string; lease_hex?: string }[];
  };
  return kvs.map(({ key, value, lease_hex = "0" }) => ({
    key,
    value,
    lease: BigInt(`0x${lease_hex}`).toString(),
  }));
}

function read(folder: string, file: string): string {
  return Deno.readTextFileSync(new URL(`../testdata/modern/${folder}/${file}`, import.meta.url));
}

function exists(folder: string, file: string): boolean {
  return [...Deno.readDirSync(new URL(`../testdata/modern/${folder}/`, import.meta.url))]
    .some(({ name }) => name === file);
}
