/** A real Prometheus, and its tool that judges metrics, configs and rules. */
import { join } from "node:path";
import { findBinary } from "./binaries.ts";
import { answersOk, type ServerOptions, ServerProcess, started } from "./process.ts";
import { recordUse } from "./used.ts";

export interface PrometheusOptions extends ServerOptions {
  /** Text of `prometheus.yml`. */
  readonly config: string;
  /** Files beside it, relative path → text: rules, targets. The config names them by that path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Added to the arguments. */
  readonly args?: readonly string[];
}

/** One element of an instant vector; a scalar is one with no labels. */
export interface QueryResult {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** How a run of promtool ended. */
export interface PromtoolOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** See `startPrometheus`. */
export class Prometheus extends ServerProcess {
  protected override readonly portCount = 1;
  readonly #options: PrometheusOptions;

  constructor(options: PrometheusOptions) {
    super("prometheus", options);
    this.#options = options;
    this.writeFiles({ ...options.files, "prometheus.yml": options.config });
  }

  get port(): number {
    return this.portAt(0);
  }

  /** `http://127.0.0.1:PORT` */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The value of an expression now, empty when no series matches. Throws what Prometheus objects to it. */
  async query(promql: string): Promise<QueryResult[]> {
    const response = await fetch(`${this.url}/api/v1/query`, {
      method: "POST",
      body: new URLSearchParams({ query: promql }),
      signal: AbortSignal.timeout(this.timeoutMs),
    });
    const answer = await response.json() as QueryAnswer;
    if (answer.status !== "success") throw new Error(`Cannot evaluate ${promql}: ${answer.error}`);
    const { data } = answer;
    switch (data.resultType) {
      case "vector":
        return data.result.map(({ metric, value }) => ({ metric, value: parseSampleValue(value[1]) }));
      case "scalar":
        return [{ metric: {}, value: parseSampleValue(data.result[1]) }];
      default:
        throw new Error(`Cannot take the ${data.resultType} of ${promql} as a vector`);
    }
  }

  protected override args(): readonly string[] {
    return [
      `--config.file=${join(this.dir, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(this.dir, "data")}`,
      `--web.listen-address=127.0.0.1:${this.port}`,
      ...(this.#options.args ?? []),
    ];
  }

  protected override isReady(signal: AbortSignal): Promise<boolean> {
    return answersOk(`${this.url}/-/ready`, signal);
  }
}

/** Starts a Prometheus on a free port of 127.0.0.1; throws with its log when it refuses the config. */
export function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  return started(new Prometheus(options));
}

/** Runs promtool to its end: `promtool(["check", "metrics"], { stdin: page })`. Judges nothing itself. */
export async function promtool(
  args: readonly string[],
  options: { readonly stdin?: string } = {},
): Promise<PromtoolOutput> {
  await recordUse("promtool");
  const child = new Deno.Command(await findBinary("promtool"), {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [output] = await Promise.all([child.output(), feed(child.stdin, options.stdin ?? "")]);
  const decoder = new TextDecoder();
  return { code: output.code, stdout: decoder.decode(output.stdout), stderr: decoder.decode(output.stderr) };
}

type Sample = readonly [seconds: number, value: string];

type QueryAnswer =
  | { readonly status: "error"; readonly error: string }
  | {
    readonly status: "success";
    readonly data:
      | {
        readonly resultType: "vector";
        readonly result: readonly { metric: Record<string, string>; value: Sample }[];
      }
      | { readonly resultType: "scalar"; readonly result: Sample }
      | { readonly resultType: "matrix" | "string" };
  };

function parseSampleValue(text: string): number {
  return Number(text.replace("Inf", "Infinity"));
}

/** A tool that ends without reading everything closes the pipe; what it thought of that is in its exit code. */
async function feed(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  try {
    await new Blob([text]).stream().pipeTo(stdin);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
