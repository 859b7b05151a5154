import assert from "node:assert/strict";
import { Program } from "../../tools/program.ts";
import { freePorts } from "../../tools/servers/ports.ts";
import { startNats } from "../../tools/servers/nats.ts";
import type { EngineEvent } from "./engine_capture.ts";
import { NatsObserver } from "./nats_observer.ts";
import type { Speech } from "./told_publisher.ts";

const AGAIN_MS = 200;

/** Says what a captured engine said, on real servers. */
export interface EngineVoice extends AsyncDisposable {
  /** The address to give to `metrics` in place of a captured one; undefined if nobody speaks there. */
  addressOf(channel: string): string | undefined;
  /** Where NATS is; undefined where all is said on ZMQ. */
  readonly natsUrl: string | undefined;
  /**
   * Says these from now on, and nothing else: those of each channel in their order, then the last of them again and
   * again.
   */
  say(events: readonly EngineEvent[]): Promise<void>;
}

/** Publishers on ZMQ, a port for each channel. */
export class ZmqVoice implements EngineVoice {
  readonly natsUrl = undefined;

  private constructor(
    private readonly ports: ReadonlyMap<string, number>,
    private readonly program: Program,
    private readonly toldAt: string,
  ) {}

  static async start(events: readonly EngineEvent[]): Promise<ZmqVoice> {
    const channels = [...new Set(events.map(({ channel }) => channel))];
    const free = freePorts(channels.length);
    const ports = new Map(channels.map((channel, n) => [channel, free[n]!]));
    const script = new URL("told_publisher.ts", import.meta.url).href;
    const args = ["run", "-A", "--no-check", script, ...free.map(String)];
    const program = new Program({ command: Deno.execPath(), args });
    const [, toldAt] = await program.logged(/told at (\S+)/);
    return new ZmqVoice(ports, program, toldAt!);
  }

  addressOf(channel: string): string | undefined {
    const port = this.ports.get(channel);
    return port === undefined ? undefined : `tcp://127.0.0.1:${port}`;
  }

  async say(events: readonly EngineEvent[]): Promise<void> {
    const speeches: Speech[] = [...Map.groupBy(events, ({ channel }) => channel)].map((
      [channel, events],
    ) => ({
      port: this.ports.get(channel)!,
      messages: events.map(({ frames }) => frames),
    }));
    const response = await fetch(this.toldAt, { method: "POST", body: JSON.stringify(speeches) });
    assert.ok(response.ok);
    await response.body?.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program.stop("SIGKILL");
  }
}

/** A client of a NATS of its own. */
export class NatsVoice implements EngineVoice {
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(
    readonly natsUrl: string,
    private readonly observer: NatsObserver,
    private readonly ends: AsyncDisposableStack,
  ) {}

  static async start(): Promise<NatsVoice> {
    await using ends = new AsyncDisposableStack();
    const nats = ends.use(await startNats());
    const observer = ends.use(await NatsObserver.connect(nats.url));
    return new NatsVoice(nats.url, observer, ends.move());
  }

  addressOf(): undefined {}

  async say(events: readonly EngineEvent[]): Promise<void> {
    clearInterval(this.#timer);
    for (const event of events) this.#publish(event);
    await this.observer.connection.flush();
    const last = [...Map.groupBy(events, ({ channel }) => channel).values()].map((events) => events.at(-1)!);
    this.#timer = setInterval(() => last.forEach((event) => this.#publish(event)), AGAIN_MS);
  }

  #publish({ channel, frames: [body = ""] }: EngineEvent): void {
    this.observer.connection.publish(channel, Uint8Array.fromHex(body));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.ends[Symbol.asyncDispose]();
  }
}
