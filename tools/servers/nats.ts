/** A real NATS server. */
import { join } from "node:path";
import { delay, type ServerOptions, ServerProcess, started } from "./process.ts";

export interface NatsOptions extends ServerOptions {
  /** Text of a nats-server config file. Where it listens is decided by arguments, which win over it. */
  readonly config?: string;
  /** Files in the server's folder, relative path → text. The config can name them by that path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Added to the arguments. */
  readonly args?: readonly string[];
  /** Client port; a free one by default. */
  readonly port?: number;
  /** JetStream, with its store in the server's folder. Default off. */
  readonly jetstream?: boolean;
}

/** See `startNats`. */
export class NatsServer extends ServerProcess {
  protected override readonly portCount = 2;
  readonly #options: NatsOptions;

  constructor(options: NatsOptions) {
    super("nats-server", options);
    this.#options = options;
    this.writeFiles({ ...options.files, "nats.conf": options.config ?? "" });
  }

  /** Client port. */
  get port(): number {
    return this.portAt(0);
  }

  /** For clients: `nats://127.0.0.1:PORT`. */
  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** The monitoring pages: `http://127.0.0.1:PORT`, for `/varz`, `/connz`, `/subsz`. */
  get monitorUrl(): string {
    return `http://127.0.0.1:${this.portAt(1)}`;
  }

  /** Replaces the text of the config file, for the next `reload()` or `start()`. */
  setConfig(text: string): void {
    this.writeFiles({ "nats.conf": text });
  }

  /** SIGHUP: takes the config file anew and resolves when it is in force. Throws when the server refuses it. */
  async reload(): Promise<void> {
    const mark = this.logMark();
    this.signal("SIGHUP");
    const deadline = performance.now() + this.timeoutMs;
    for (;;) {
      const lines = this.logSince(mark);
      const refused = lines.find((line) => line.includes("Failed to reload"));
      if (refused !== undefined) throw new Error(`nats-server refuses its config: ${refused}`);
      if (lines.some((line) => line.includes("Reloaded server configuration"))) return;
      if (!this.running || performance.now() > deadline) {
        throw new Error(`nats-server does not reload its config; its log ends:\n${this.logTail}`);
      }
      await delay(5);
    }
  }

  protected override wishedPorts(): readonly (number | undefined)[] {
    return [this.#options.port];
  }

  protected override args(): readonly string[] {
    const { jetstream, args } = this.#options;
    return [
      ...[
        "-c",
        join(this.dir, "nats.conf"),
        "-a",
        "127.0.0.1",
        "-p",
        `${this.port}`,
        "-m",
        `${this.portAt(1)}`,
      ],
      ...["--ports_file_dir", this.dir],
      ...(jetstream ? ["-js", "-sd", join(this.dir, "jetstream")] : []),
      ...(args ?? []),
    ];
  }

  /** It writes `<program>_<pid>.ports` once it accepts: no other server's answer can be taken for its own. */
  protected override async isReady(): Promise<boolean> {
    const suffix = `_${this.pid}.ports`;
    for await (const entry of Deno.readDir(this.dir)) {
      if (entry.name.endsWith(suffix)) return true;
    }
    return false;
  }

  protected override async beforeStart(): Promise<void> {
    for await (const entry of Deno.readDir(this.dir)) {
      if (entry.name.endsWith(".ports")) await Deno.remove(join(this.dir, entry.name)); // left by a killed one
    }
  }
}

/** Starts a NATS server on free ports of 127.0.0.1; resolves when it accepts clients. */
export function startNats(options: NatsOptions = {}): Promise<NatsServer> {
  return started(new NatsServer(options));
}
