import assert from "node:assert/strict";
import { putLeasedKeys, type StoredKey } from "../../tools/etcd_gateway.ts";
import { outputOf } from "../../tools/command.ts";
import { PageReader } from "../../tools/page_reader.ts";
import { ownCommand } from "../../tools/program.ts";
import { startEtcd } from "../../tools/servers/etcd.ts";
import { type EngineCapture, type EngineEvent, enginePage, readEngine } from "./engine_capture.ts";
import { type EngineVoice, NatsVoice, ZmqVoice } from "./engine_voice.ts";
import { eventually, steadily } from "./eventually.ts";
import { type MetricsProcess, startMetrics } from "./metrics_process.ts";
import { PageServer } from "./page_server.ts";
import { assertOneMoment, assertShown, type Shown, type ShownWorker, shownWorker } from "./shown_worker.ts";

const TIMEOUT = { timeoutMs: 10_000 };
/** How long right numbers are looked at, to see that they stay: a page is read once a second. */
const STEADY = { forMs: 1_300 };

export interface PlayedEngineOptions {
  /** The page that the worker has at first: its name below testdata/engines, without the ending. */
  readonly page: string;
  /** More flags of `metrics`. */
  readonly args?: readonly string[];
  /** Which of the keys are put; all when left out. */
  readonly hasKey?: (key: StoredKey) => boolean;
}

/** A captured engine played to the whole program: its keys in an etcd, its page over HTTP, its events on NATS or ZMQ. */
export class PlayedEngine implements AsyncDisposable {
  readonly #ends = new AsyncDisposableStack();
  #page: string;

  private constructor(
    private readonly capture: EngineCapture,
    private readonly voice: EngineVoice,
    page: string,
    readonly metrics: MetricsProcess,
    server: PageServer,
  ) {
    this.#page = page;
    server.answer = () => new Response(this.#page);
  }

  /** @param folder below testdata/engines: whose keys and events these are */
  static async start(folder: string, options: PlayedEngineOptions): Promise<PlayedEngine> {
    const { args = [], hasKey = () => true } = options;
    await using ends = new AsyncDisposableStack();
    const capture = readEngine(folder);
    const voice = ends.use(
      await (capture.plane === "nats" ? NatsVoice.start() : ZmqVoice.start(capture.events)),
    );
    const page = enginePage(options.page);
    const server = ends.use(new PageServer(() => new Response(page)));
    const etcd = ends.use(await startEtcd());
    await putLeasedKeys(
      etcd.url,
      capture.keys.filter(hasKey).map((key) => ({
        ...key,
        value: key.value
          .replace(/tcp:\/\/[\d.]+:\d+/, (endpoint) => voice.addressOf(endpoint) ?? endpoint)
          .replaceAll(/http:\/\/[\d.]+:\d+(?=\/v1\/metadata\/)/g, server.origin),
      })),
    );
    const metrics = ends.use(
      await startMetrics({
        args: ["--component", "backend", "--endpoint", "generate", "--poll-interval", "0.2"]
          .concat("--stale-after", "6", "--worker-url", `${server.origin}/metrics`)
          .concat(voice.natsUrl === undefined ? ["--no-nats"] : [], args),
        env: { ETCD_ENDPOINTS: etcd.url, NATS_SERVER: voice.natsUrl ?? "nats://127.0.0.1:1" },
      }),
    );
    const engine = new PlayedEngine(capture, voice, page, metrics, server);
    await eventually(() => engine.shown(), { timeoutMs: 30_000 }); // A busy machine takes long to read etcd.
    engine.#ends.use(ends.move());
    return engine;
  }

  /** The worker, in decimal. */
  get worker(): string {
    return this.capture.worker;
  }

  /** Says those of the captured events from now on, and nothing else. */
  async say(isSaid: (event: EngineEvent) => boolean): Promise<void> {
    await this.voice.say(this.capture.events.filter(isSaid));
  }

  /** The worker has this page from now on: its name below testdata/engines, and how its text is changed. */
  turnTo(page: string, change: (text: string) => string = (text) => text): void {
    this.#page = change(enginePage(page));
  }

  async shown(): Promise<ShownWorker> {
    return await shownWorker(this.metrics.url, this.worker);
  }

  /** Waits until this is shown of the worker. */
  async shows(right: Shown): Promise<void> {
    await eventually(async () => assertShown(await this.shown(), right), TIMEOUT);
  }

  /** Waits until this is shown of the worker, and sees that it stays. */
  async keepsShowing(right: Shown, { forMs } = STEADY): Promise<void> {
    await this.shows(right);
    await steadily(async () => {
      const shown = await this.shown();
      assertShown(shown, right);
      assertOneMoment(shown);
    }, { forMs });
  }

  /** Waits until `metrics` has heard so many messages of a topic from now on. */
  async hears(topic: string, messages = 1): Promise<void> {
    const count = async () => {
      const [count = 0] = (await this.page()).values("dynamo_metrics_events_total", { event: topic });
      return count;
    };
    const before = await count();
    await eventually(async () => {
      const heard = await count() - before;
      assert.ok(heard >= messages, `${heard} of ${messages} messages were heard of ${topic}`);
    }, TIMEOUT);
  }

  async page(): Promise<PageReader> {
    return new PageReader(await this.metrics.page());
  }

  /** What `/readyz` says. */
  async ready(): Promise<{ readonly status: string; readonly reasons: readonly string[] }> {
    return await (await fetch(`${this.metrics.url}/readyz`)).json();
  }

  /** What `metrics top` prints into a pipe that reads the API of this `metrics`. */
  async top(): Promise<string> {
    const [command = "", ...args] = ownCommand("main.ts", ["top", "--url", this.metrics.url]);
    return await outputOf(command, args);
  }

  /** The lines of the log that match. */
  logged(pattern: RegExp): string[] {
    return this.metrics.log().split("\n").filter((line) => pattern.test(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ends[Symbol.asyncDispose]();
  }
}
