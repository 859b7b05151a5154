import { ownProgram, servedUrl } from "../../tools/program.ts";

/** A running `metrics`: the program as a user starts it, on a free port of this machine. */
export interface MetricsProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** All it said so far. */
  readonly log: () => string;
  page(): Promise<string>;
  /** Stops and continues the process, as a debugger or a busy host would. */
  pause(): void;
  resume(): void;
  /** Tells it to end; gives the exit code. */
  stop(signal?: Deno.Signal): Promise<number>;
}

/** Starts main.ts on 127.0.0.1 and waits until its page is served. */
export async function startMetrics(
  options: { args: readonly string[]; env: Readonly<Record<string, string>> },
): Promise<MetricsProcess> {
  const metrics = ownProgram("main.ts", {
    args: [...options.args, "--host", "127.0.0.1", "--port", "0"],
    env: options.env,
  });
  const url = await servedUrl(metrics);
  return {
    url,
    pid: metrics.pid,
    log: () => metrics.log,
    page: async () => await (await fetch(`${url}/metrics`)).text(),
    pause: () => Deno.kill(metrics.pid, "SIGSTOP"),
    resume: () => Deno.kill(metrics.pid, "SIGCONT"),
    stop: (signal) => metrics.stop(signal),
    [Symbol.asyncDispose]: () => metrics[Symbol.asyncDispose](),
  };
}
