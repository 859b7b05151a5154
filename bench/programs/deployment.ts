import { type NatsServer, startNats } from "../../tools/servers/nats.ts";
import { Child } from "../child.ts";
import { type RunningMetrics, shows, startOwn } from "./metrics.ts";

export interface DeploymentOptions {
  readonly workers: number;
  /** More flags of the program. */
  readonly args?: readonly string[];
  readonly denoFlags?: readonly string[];
}

/** NATS, workers of 0.6.0 that answer there, and the program, which asks them once a second; without etcd. */
export class Deployment implements AsyncDisposable {
  readonly #ends: AsyncDisposableStack;

  private constructor(
    readonly nats: NatsServer,
    readonly fleet: Child,
    readonly own: RunningMetrics,
    ends: AsyncDisposableStack,
  ) {
    this.#ends = ends;
  }

  /** Resolves when the program's page shows all workers. */
  static async start({ workers, args = [], denoFlags = [] }: DeploymentOptions): Promise<Deployment> {
    await using ends = new AsyncDisposableStack();
    const nats = ends.use(await startNats());
    const fleet = ends.use(new Child("fleet/main.ts", { nats: nats.url, workers, release: "0.6.0" }));
    await fleet.ask();
    const env = { NATS_SERVER: nats.url };
    const own = ends.use(await startOwn({ env, args: ["--no-etcd", ...args], denoFlags }));
    await shows(own.url, workers);
    return new Deployment(nats, fleet, own, ends.move());
  }

  /** All that share the machine's cores, the benchmark itself too. */
  get pids(): Readonly<Record<string, number>> {
    const { own, nats, fleet } = this;
    return { "program": own.program.pid, "nats-server": nats.pid, "fleet": fleet.pid, "bench": Deno.pid };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { ended, log } = this.own.program;
    const [what, told] = ended ? ["ended", [log.slice(-2_000)]] : ["said", log.match(TROUBLE) ?? []];
    for (const text of told) console.error(`the program ${what}: ${text}`);
    await this.#ends[Symbol.asyncDispose]();
  }
}

/** Lines of the log that nothing here should give cause for. */
const TROUBLE = /^\S+ +(?:WARN|ERROR) .*$/gm;
