import { putLeasedKeys } from "../../tools/etcd_gateway.ts";
import { Program } from "../../tools/program.ts";
import { type EtcdServer, startEtcd } from "../../tools/servers/etcd.ts";
import { freePorts } from "../../tools/servers/ports.ts";
import type { Replay } from "./zmq_replay.ts";

/**
 * A captured deployment whose events went over ZMQ, on a real etcd and real publishers: its keys under its leases, and
 * the last event of each channel, said again and again.
 */
export class CapturedDeployment implements AsyncDisposable {
  readonly #ends = new AsyncDisposableStack();
  #publishers: Program | undefined;

  private constructor(readonly etcd: EtcdServer, private readonly replays: readonly Replay[]) {
    this.#ends.use(etcd);
  }

  /**
   * @param folder below testdata/modern
   * @param options `pages`: where the workers' pages are, in the order of the captured ports from 28081 on; nobody is
   * there where that is left out
   */
  static async start(
    folder: string,
    options: { readonly pages?: readonly string[] } = {},
  ): Promise<CapturedDeployment> {
    const events = exists(folder, "zmq-events.jsonl") ? lastEvents(folder) : new Map<string, string[]>();
    const ports = freePorts(events.size);
    const local = new Map([...events.keys()].map((endpoint, n) => [endpoint, ports[n]!]));
    const etcd = await startEtcd();
    const keys = capturedKeys(folder).map(({ key, value, lease_hex }) => ({
      key,
      value: value.replace(/tcp:\/\/[\d.]+:\d+/, (endpoint) => {
        const port = local.get(endpoint);
        return port === undefined ? endpoint : `tcp://127.0.0.1:${port}`;
      }).replace(/("tcp":")[\d.]+:/, (_, name) => `${name}127.0.0.1:`).replaceAll(
        /http:\/\/[\d.]+:(\d+)(?=\/v1\/metadata\/)/g,
        (_, port) => options.pages?.[Number(port) - 28_081] ?? "http://127.0.0.1:1",
      ),
      lease: BigInt(`0x${lease_hex}`).toString(),
    }));
    await putLeasedKeys(etcd.url, keys);
    const replays = [...events].map(([endpoint, frames]) => ({ port: local.get(endpoint)!, frames }));
    const deployment = new CapturedDeployment(etcd, replays);
    await deployment.publish();
    return deployment;
  }

  /** Starts the publishers, again if they were ended. */
  async publish(): Promise<void> {
    if (this.replays.length === 0) return;
    const script = new URL("zmq_replay.ts", import.meta.url).href;
    const args = ["run", "-A", "--no-check", script, JSON.stringify(this.replays)];
    this.#publishers = new Program({ command: Deno.execPath(), args });
    for (const { port } of this.replays) await this.#publishers.logged(new RegExp(`bound ${port}`));
  }

  async killPublishers(): Promise<void> {
    await this.#publishers?.stop("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killPublishers();
    await this.#ends[Symbol.asyncDispose]();
  }
}

/** The frames of the last event at each endpoint, in hex. */
function lastEvents(folder: string): Map<string, readonly string[]> {
  const lines = read(folder, "zmq-events.jsonl").trim().split("\n");
  return new Map(lines.map((line) => {
    const { endpoint, frames_hex } = JSON.parse(line) as { endpoint: string; frames_hex: string[] };
    return [endpoint, frames_hex];
  }));
}

/** The captured messages on NATS, in their order. */
export function natsEvents(folder: string): { subject: string; body: Uint8Array }[] {
  const lines = read(folder, "nats-events.jsonl").trim().split("\n");
  return lines.map((line) => {
    const { subject, body_hex } = JSON.parse(line) as { subject: string; body_hex: string };
    return { subject, body: Uint8Array.fromHex(body_hex) };
  });
}

function capturedKeys(folder: string): { key: string; value: string; lease_hex: string }[] {
  return JSON.parse(read(folder, "etcd.json")).kvs;
}

function read(folder: string, file: string): string {
  return Deno.readTextFileSync(new URL(`../testdata/modern/${folder}/${file}`, import.meta.url));
}

function exists(folder: string, file: string): boolean {
  return [...Deno.readDirSync(new URL(`../testdata/modern/${folder}/`, import.meta.url))]
    .some(({ name }) => name === file);
}
