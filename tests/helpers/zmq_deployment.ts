import assert from "node:assert/strict";
import type { StoredKey } from "../../tools/etcd_gateway.ts";
import { PageReader } from "../../tools/page_reader.ts";
import { CapturedDeployment, type CapturedDeploymentOptions, type Channel } from "./captured_deployment.ts";
import { eventually } from "./eventually.ts";
import { KeptFiles, type TouchedAt } from "./kept_files.ts";
import { type MetricsProcess, startMetrics } from "./metrics_process.ts";
import { TcpProxy } from "./tcp_proxy.ts";

export interface ZmqDeploymentOptions extends CapturedDeploymentOptions {
  /** Seconds; a minute when left out: what leaves sooner did not leave for its age. */
  readonly staleAfter?: string;
  /** The worker whose publishers `metrics` reaches through proxies. */
  readonly behindProxies?: string;
  /** Flags of `metrics`; without NATS when left out. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** An empty folder that `metrics` reads as a file store, without etcd. */
  readonly fileStore?: string;
  /** What time its files get when they are touched, again and again; now when left out. */
  readonly touchedAt?: TouchedAt;
  /** Where `metrics` finds etcd, when not at itself: a proxy. */
  readonly etcdPort?: (port: number) => number;
}

/** The captured deployment of 1.6.1, whose workers speak on ZMQ alone, and a running `metrics`. */
export class ZmqDeployment implements AsyncDisposable {
  readonly #ends = new AsyncDisposableStack();

  private constructor(
    readonly captured: CapturedDeployment,
    readonly metrics: MetricsProcess,
    /** Between `metrics` and the publishers of the worker `behindProxies`. */
    readonly networks: readonly TcpProxy[],
  ) {}

  static async start(options: ZmqDeploymentOptions = {}): Promise<ZmqDeployment> {
    const { staleAfter = "60", args = ["--no-nats"], env = {}, fileStore } = options;
    await using ends = new AsyncDisposableStack();
    const networks: TcpProxy[] = [];
    const through = (channel: Channel) => {
      if (channel.worker !== options.behindProxies) return options.through?.(channel) ?? channel.port;
      const network = ends.use(new TcpProxy({ hostname: "127.0.0.1", port: channel.port }));
      networks.push(network);
      return network.port;
    };
    const captured = ends.use(await CapturedDeployment.start("1.6.1-default", { ...options, through }));
    if (fileStore !== undefined) {
      await writeKeyFiles(fileStore, captured.keys);
      ends.use(await KeptFiles.start(fileStore, options.touchedAt));
    }
    const etcdPort = options.etcdPort?.(captured.etcd.port) ?? captured.etcd.port;
    const metrics = ends.use(
      await startMetrics({
        args: ["--component", "backend", "--endpoint", "generate", "--poll-interval", "0.2"]
          .concat("--stale-after", staleAfter, args),
        env: {
          ...(fileStore === undefined
            ? { ETCD_ENDPOINTS: `http://127.0.0.1:${etcdPort}` }
            : { DYN_DISCOVERY_BACKEND: "file", DYN_FILE_KV: fileStore }),
          ...env,
        },
      }),
    );
    const deployment = new ZmqDeployment(captured, metrics, networks);
    deployment.#ends.use(ends.move());
    return deployment;
  }

  /** The file of a worker's key in a file store. */
  static keyFile(folder: string, bucket: "instances" | "mdc", worker: string): string {
    return `${folder}/v1/${bucket}/dynamo%2Fbackend%2Fgenerate%2F${BigInt(worker).toString(16)}`;
  }

  async page(): Promise<PageReader> {
    return new PageReader(await this.metrics.page());
  }

  /** Waits until these are the blocks in use, by worker, and gives the page that has them. */
  async shows(blocks: Readonly<Record<string, number>>): Promise<PageReader> {
    return await eventually(async () => {
      const page = await this.page();
      assert.deepEqual(page.byWorker("llm_kv_blocks_active"), blocks);
      return page;
    });
  }

  /** What `/readyz` says. */
  async ready(): Promise<{ status: string; reasons: string[] }> {
    return await (await fetch(`${this.metrics.url}/readyz`)).json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ends[Symbol.asyncDispose]();
  }
}

/** Keys as file discovery keeps them: two folders, and the rest is the file's name. Gives the paths of the files. */
export async function writeKeyFiles(
  folder: string,
  keys: readonly Pick<StoredKey, "key" | "value">[],
): Promise<string[]> {
  const paths: string[] = [];
  for (const { key, value } of keys) {
    const [version, bucket, ...name] = key.split("/");
    const path = `${folder}/${version}/${bucket}/${encodeURIComponent(name.join("/"))}`;
    await Deno.mkdir(`${folder}/${version}/${bucket}`, { recursive: true });
    await Deno.writeTextFile(path, value);
    paths.push(path);
  }
  return paths;
}
