import assert from "node:assert/strict";
import { encodeEnvelope } from "../../lib/dynamo/event_envelope.ts";
import { encodeMsgpack } from "../../lib/dynamo/msgpack.ts";
import { workerIdFromInteger } from "../../lib/dynamo/worker_id.ts";
import { putLeasedKeys } from "../../tools/etcd_gateway.ts";
import { PageReader } from "../../tools/page_reader.ts";
import { ownCommand } from "../../tools/program.ts";
import { startEtcd } from "../../tools/servers/etcd.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { freePorts } from "../../tools/servers/ports.ts";
import { eventually } from "./eventually.ts";
import { exactJson, exactJsonText, listNames } from "./captured_events.ts";
import { type MetricsProcess, startMetrics } from "./metrics_process.ts";
import { NatsObserver } from "./nats_observer.ts";
import { PageServer } from "./page_server.ts";
import { writeKeyFiles } from "./zmq_deployment.ts";

/** The worker of all reports: the id in the keys, in decimal. */
export const REPORTED = "7587890388686163551";

const FOLDER = new URL("../testdata/reports/", import.meta.url);

/** Ports below 32768 that browsers do not connect to. A worker's page may be at any of them. */
const BLOCKED_PORTS = [10_080, 6_000, 6_667, 6_666, 5_060];

/** One file of testdata/reports; its README says what the fields are. */
interface Report {
  readonly keys: readonly { readonly key: string; readonly value: unknown }[];
  readonly events?: readonly {
    readonly subject: string;
    readonly topic: string;
    readonly publisher: number | bigint;
    readonly payload: unknown;
  }[];
  readonly page?: string;
  readonly page_port?: number;
  readonly second_page?: string;
  readonly args?: readonly string[];
  readonly file_store?: true;
  readonly file_age_seconds?: number;
}

export interface PlayedReportOptions {
  /** Flags in place of the report's. */
  readonly args?: readonly string[];
  /** The labels of the second page in the list of pages. */
  readonly secondLabels?: Readonly<Record<string, string>>;
}

/** The names of all reports, without their endings. */
export function reportNames(): string[] {
  return listNames(FOLDER).flatMap((name) => name.endsWith(".json") ? [name.slice(0, -".json".length)] : []);
}

/** A report played to the whole program: its keys in an etcd or in files, its pages over HTTP, its events on a NATS. */
export class PlayedReport implements AsyncDisposable {
  readonly #ends = new AsyncDisposableStack();

  private constructor(
    readonly metrics: MetricsProcess,
    /** With which `metrics` was started. */
    private readonly started: {
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    },
    /** The files of the file store; none of a report with etcd. */
    readonly files: readonly string[],
    private readonly speaker: { readonly observer: NatsObserver; readonly report: Report } | undefined,
  ) {}

  static async start(name: string, options: PlayedReportOptions = {}): Promise<PlayedReport> {
    await using ends = new AsyncDisposableStack();
    const report = exactJson(await Deno.readTextFile(new URL(`${name}.json`, FOLDER))) as Report;
    const keys = report.keys.map(({ key, value }) => ({ key, value: exactJsonText(value), lease: "0" }));
    const folder = ends.adopt(await Deno.makeTempDir(), (path) => Deno.remove(path, { recursive: true }));
    const env: Record<string, string> = { NATS_SERVER: "nats://127.0.0.1:1" }; // Nobody is there.
    const args = ["--component", "backend", "--endpoint", "generate"]
      .concat("--poll-interval", "0.2", "--stale-after", "6")
      .concat(await pageArgs(report, { ends, folder, options }));

    let files: string[] = [];
    if (report.file_store) {
      files = await writeKeyFiles(`${folder}/store`, keys);
      const touchedAt = Date.now() / 1_000 - (report.file_age_seconds ?? 0);
      for (const file of files) await Deno.utime(file, touchedAt, touchedAt);
      Object.assign(env, { DYN_DISCOVERY_BACKEND: "file", DYN_FILE_KV: `${folder}/store` });
    } else {
      const etcd = ends.use(await startEtcd());
      await putLeasedKeys(etcd.url, keys);
      env.ETCD_ENDPOINTS = etcd.url;
    }

    let speaker: PlayedReport["speaker"];
    if (report.events !== undefined) {
      const nats = ends.use(await startNats());
      env.NATS_SERVER = nats.url;
      speaker = { report, observer: ends.use(await NatsObserver.connect(nats.url)) };
    } else if (options.args === undefined && !args.includes("--no-nats")) {
      args.push("--no-nats");
    }
    const metrics = ends.use(await startMetrics({ args, env }));
    await eventually(async () => { // A busy machine takes long to read etcd.
      const page = new PageReader(await metrics.page());
      const has = (series: string) => page.value(`dynamo_metrics_${series}`) === 1;
      assert.ok(has("etcd_connected") || has("file_store_readable"));
    }, { timeoutMs: 30_000 });
    const played = new PlayedReport(metrics, { args, env }, files, speaker);
    played.#ends.use(ends.move());
    return played;
  }

  /** Says each event of the report once. */
  async say(): Promise<void> {
    if (this.speaker === undefined) return;
    const { report: { events = [] }, observer: { connection } } = this.speaker;
    for (const [sequence, { subject, topic, publisher, payload }] of events.entries()) {
      const envelope = {
        publisher: workerIdFromInteger(publisher)!,
        sequence,
        topic,
        payload: encodeMsgpack(payload as Parameters<typeof encodeMsgpack>[0]),
      };
      connection.publish(subject, encodeEnvelope(envelope, { publishedAtMs: Date.now() }));
    }
    await connection.flush();
  }

  /** What `metrics top` with the same flags prints into a pipe, and its exit code. */
  async top(): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
    const [command = "", ...args] = ownCommand("main.ts", ["top", ...this.started.args]);
    const { env } = this.started;
    const { code, stdout, stderr } = await new Deno.Command(command, { args, env, stdin: "null" }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  }

  /** What `/readyz` says. */
  async ready(): Promise<{ readonly status: string; readonly reasons: readonly string[] }> {
    return await (await fetch(`${this.metrics.url}/readyz`)).json();
  }

  /** The lines of the log that match. */
  logged(pattern: RegExp): string[] {
    return this.metrics.log().split("\n").filter((line) => pattern.test(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ends[Symbol.asyncDispose]();
  }
}

/** Serves the report's pages; gives the flags that say where they are, and the report's own. */
async function pageArgs(
  report: Report,
  { ends, folder, options }: {
    readonly ends: AsyncDisposableStack;
    readonly folder: string;
    readonly options: PlayedReportOptions;
  },
): Promise<string[]> {
  const { args: own = report.args ?? [], secondLabels = {} } = options;
  const first = report.page &&
    ends.use(servePage(await Deno.readTextFile(new URL(report.page, FOLDER)), report.page_port));
  const { port = "" } = first ? new URL(first.origin) : {};
  const [closedPort] = freePorts(1);
  const args = own.map((arg) =>
    arg.replace("{page_port}", port).replace("{closed_port}", String(closedPort))
  );
  if (!first) return args;
  if (report.second_page !== undefined) {
    const second = ends.use(servePage(report.second_page));
    const list = `${folder}/pages.json`;
    const groups = [
      { targets: [new URL(first.origin).host] },
      { targets: [new URL(second.origin).host], labels: secondLabels },
    ];
    await Deno.writeTextFile(list, JSON.stringify(groups));
    return [...args, "--worker-url-file", list];
  }
  return args.includes("--worker-url") ? args : [...args, "--worker-url", `${first.origin}/metrics`];
}

/** A port that the report names is one that browsers block; if another program has it, the next of these is taken. */
function servePage(text: string, port?: number): PageServer {
  const answer = () => new Response(text);
  if (port === undefined) return new PageServer(answer);
  for (const blocked of new Set([port, ...BLOCKED_PORTS])) {
    try {
      return new PageServer(answer, { port: blocked });
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error(`all of the ports ${BLOCKED_PORTS.join(", ")} are taken`);
}
