import assert from "node:assert/strict";
import { type MockWorkers, startMockWorker } from "../../lib/mock/mock_workers.ts";
import { instanceKey } from "../../lib/dynamo/instance_key.ts";
import { serviceName } from "../../lib/dynamo/service_name.ts";
import { workerIdFromHex } from "../../lib/dynamo/worker_id.ts";
import { serviceSubject } from "../../lib/micro/subjects.ts";
import type { Release } from "../../lib/mock/releases.ts";
import { NatsLink } from "../../lib/transport/nats.ts";
import { type EtcdServer, startEtcd, startEtcdCluster } from "../../tools/servers/etcd.ts";
import { type NatsServer, startNats } from "../../tools/servers/nats.ts";
import { compact, login, putKeys, putKeysUnderLease, requirePassword } from "../../tools/etcd_gateway.ts";
import { type MetricsProcess, startMetrics } from "./metrics_process.ts";
import { eventually } from "./eventually.ts";
import { PageReader } from "../../tools/page_reader.ts";
import { natsUser, USER } from "../../tools/nats_users.ts";

export const target = { namespace: "dynamo", component: "my_component", endpoint: "my_endpoint" };

export interface DeploymentOptions {
  /** Text of a nats-server configuration. */
  readonly natsConfig?: string;
  readonly withoutEtcd?: true;
  /** Three members of etcd instead of one. */
  readonly withEtcdCluster?: true;
  /** Who alone may use etcd. */
  readonly etcdUser?: { readonly username: string; readonly password: string };
  /** Seconds; 0.6 when left out. */
  readonly staleAfter?: string;
  /** Seconds; 2 when left out. */
  readonly forgetAfter?: string;
  /** Both servers are stopped before `metrics` starts. */
  readonly serversComeLater?: true;
  /** More flags of `metrics`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where `metrics` finds the servers, when not at themselves: a proxy. */
  readonly natsPort?: (nats: NatsServer) => number;
  readonly etcdPort?: (etcd: EtcdServer) => number;
  /** Where `metrics` finds the members of etcd, in this order; called before it starts. */
  readonly etcdUrls?: (members: readonly EtcdServer[]) => readonly string[] | Promise<readonly string[]>;
}

/** Real servers and a running `metrics` with short limits: a poll of 0.2 s, silent after 0.6 s, forgotten after 2 s. */
export class Deployment implements AsyncDisposable {
  readonly #ends = new AsyncDisposableStack();

  private constructor(
    readonly nats: NatsServer,
    /** All of etcd's members: none, one or three. */
    readonly members: readonly EtcdServer[],
    readonly metrics: MetricsProcess,
    private readonly options: DeploymentOptions,
  ) {}

  /** Starts all; resolves when `metrics` has read etcd. */
  static async start(options: DeploymentOptions = {}): Promise<Deployment> {
    await using ends = new AsyncDisposableStack();
    const nats = ends.use(
      await startNats(options.natsConfig === undefined ? {} : { config: options.natsConfig }),
    );
    const members = options.withoutEtcd
      ? []
      : options.withEtcdCluster
      ? ends.use(await startEtcdCluster()).members
      : [ends.use(await startEtcd())];
    const [etcd] = members;
    const { etcdUser } = options;
    if (etcd && etcdUser) await requirePassword(etcd.url, etcdUser);
    if (options.serversComeLater) await Promise.all([nats.stop(), etcd?.stop()]);
    const natsPort = options.natsPort?.(nats) ?? nats.port;
    const etcdUrls = await options.etcdUrls?.(members) ??
      members.map((member) => `http://127.0.0.1:${options.etcdPort?.(member) ?? member.port}`);
    const metrics = ends.use(
      await startMetrics({
        args: ["--component", target.component, "--endpoint", target.endpoint, "--poll-interval", "0.2"]
          .concat("--stale-after", options.staleAfter ?? "0.6", "--forget-after", options.forgetAfter ?? "2")
          .concat(options.args ?? [])
          .concat(etcd === undefined ? ["--no-etcd"] : []),
        env: {
          NATS_SERVER: `nats://127.0.0.1:${natsPort}`,
          ...(etcd && { ETCD_ENDPOINTS: etcdUrls.join(",") }),
          ...(etcdUser && { ETCD_AUTH_USERNAME: etcdUser.username, ETCD_AUTH_PASSWORD: etcdUser.password }),
          ...options.env,
        },
      }),
    );
    const deployment = new Deployment(nats, members, metrics, options);
    deployment.#ends.use(ends.move());
    if (etcd && !options.serversComeLater) {
      await eventually(async () => {
        assert.equal((await deployment.page()).value("dynamo_metrics_etcd_connected"), 1);
      });
    }
    return deployment;
  }

  /** The first member. */
  get etcd(): EtcdServer {
    const [etcd] = this.members;
    if (etcd === undefined) throw new Error("This deployment has no etcd");
    return etcd;
  }

  /** Mock workers in this process. They end with the deployment, or before. */
  play(workers: number, options: { release?: Release; seed?: string; as?: string } = {}): MockWorkers {
    const { release = "0.1.1", seed = "1", as = "user" } = options;
    return this.#ends.use(startMockWorker({
      target,
      nats: { servers: [this.nats.url], auth: natsUser(as) },
      ...(this.members.length > 0 && { etcd: { endpoints: this.members.map(({ url }) => url) } }),
      signal: new AbortController().signal,
      workers,
      seed,
      steady: true,
      release,
    }));
  }

  /** A service of our own making, that answers what a test wants. */
  raw(): RawService {
    return this.#ends.use(new RawService(this.nats.url));
  }

  /** Puts the keys of workers, without a lease. */
  async register(...hexes: string[]): Promise<void> {
    await this.registerAt(this.etcd, ...hexes);
  }

  /** As `register`, at one of the members. */
  async registerAt(member: EtcdServer, ...hexes: string[]): Promise<void> {
    const { etcdUser } = this.options;
    const token = etcdUser && await login(member.url, etcdUser);
    await putKeys(member.url, hexes.map((hex) => instanceKey("v1", target, workerIdFromHex(hex)!)), token);
  }

  /** Puts the keys of workers under one lease, whose id is given back. */
  async registerUnderLease(hexes: readonly string[]): Promise<string> {
    const keys = hexes.map((hex) => instanceKey("v1", target, workerIdFromHex(hex)!));
    return await putKeysUnderLease(this.etcd.url, keys);
  }

  async compactEtcd(): Promise<void> {
    await compact(this.etcd.url);
  }

  async page(): Promise<PageReader> {
    return new PageReader(await this.metrics.page());
  }

  /** Waits until the loads on the page are those of all these workers, and gives their ids. */
  async shown(workers: MockWorkers, { count }: { readonly count: number }): Promise<readonly string[]> {
    return await eventually(async () => {
      const loaded = (await this.page()).loaded();
      assert.equal(loaded.length, count);
      assert.deepEqual(loaded.toSorted(), workers.ids.toSorted());
      return [...workers.ids];
    });
  }

  /** What `/readyz` says, and with which code. */
  async ready(): Promise<{ code: number; status: string; reasons: string[] }> {
    const response = await fetch(`${this.metrics.url}/readyz`);
    return { code: response.status, ...await response.json() };
  }

  /** How many lines of the log match. */
  said(pattern: RegExp): number {
    return this.metrics.log().split("\n").filter((line) => pattern.test(line)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ends[Symbol.asyncDispose]();
  }
}

/** A question as it came, and a way to answer it. */
export interface Question {
  /** Answers with the statistics of a worker that has so many blocks in use. */
  reply(hex: string, activeBlocks: number): void;
  /** Answers with these bytes. */
  send(data: string | Uint8Array): void;
}

/** The service of `target` under the name of release 0.1.1, as a test wants it. */
export class RawService implements AsyncDisposable {
  readonly #link: NatsLink;
  readonly service = serviceName("B", target.namespace, target.component);

  constructor(url: string) {
    const signal = new AbortController().signal;
    this.#link = new NatsLink({ servers: [url], name: "raw service", auth: USER, signal });
  }

  /** Calls `handle` with each question under this name of the service. */
  answer(handle: (question: Question) => void, service = this.service): void {
    this.#link.subscribe(serviceSubject("STATS", service), ({ reply }) => {
      const send = (data: string | Uint8Array) => void this.#link.publish(reply!, data);
      handle({ send, reply: (hex, blocks) => send(statsReply(service, [[hex, blocks]])) });
    });
  }

  publish(subject: string, data: string, times = 1): void {
    for (let n = 0; n < times; n++) this.#link.publish(subject, data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
  }
}

/** A statistics reply with an endpoint for each worker. */
export function statsReply(
  service: string,
  workers: readonly (readonly [hex: string, activeBlocks: number])[],
): string {
  const endpoints = workers.map(([hex, blocks]) => ({
    subject: `${service}.${target.endpoint}-${hex}`,
    data: { request_active_slots: 1, request_total_slots: 8, kv_active_blocks: blocks, kv_total_blocks: 100 },
  }));
  return JSON.stringify({ version: "0.0.1", endpoints });
}

/** A nats-server configuration in which `user` has these permissions, and `worker` may do everything. */
export function usersConfig(permissions: string): string {
  return `authorization {
    users = [ { user: user, password: user, permissions: { ${permissions} } }, { user: worker, password: worker } ]
  }`;
}
