/** A real Prometheus Pushgateway. */
import { join } from "node:path";
import { answersOk, type ServerOptions, ServerProcess, started } from "./process.ts";

export interface PushgatewayOptions extends ServerOptions {
  /** Added to the arguments. */
  readonly args?: readonly string[];
}

/** See `startPushgateway`. */
export class Pushgateway extends ServerProcess {
  protected override readonly portCount = 1;
  readonly #options: PushgatewayOptions;

  constructor(options: PushgatewayOptions) {
    super("prometheus-pushgateway", options);
    this.#options = options;
  }

  get port(): number {
    return this.portAt(0);
  }

  /** `http://127.0.0.1:PORT` */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What was pushed is kept over `stop()` and `start()`, not over `kill()`. */
  protected override args(): readonly string[] {
    return [
      `--web.listen-address=127.0.0.1:${this.port}`,
      `--persistence.file=${join(this.dir, "pushed")}`,
      ...(this.#options.args ?? []),
    ];
  }

  protected override isReady(signal: AbortSignal): Promise<boolean> {
    return answersOk(`${this.url}/-/ready`, signal);
  }
}

/** Starts an empty Pushgateway on a free port of 127.0.0.1. */
export function startPushgateway(options: PushgatewayOptions = {}): Promise<Pushgateway> {
  return started(new Pushgateway(options));
}
