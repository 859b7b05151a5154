/** A running `metrics`: the program as a user starts it, on a free port of this machine. */
export interface MetricsProcess extends AsyncDisposable {
  readonly url: string;
  /** All it said so far. */
  readonly log: () => string;
  page(): Promise<string>;
  /** Tells it to end; gives the exit code. */
  stop(signal?: Deno.Signal): Promise<number>;
}

/** Starts main.ts on 127.0.0.1 and waits until its page is served. */
export async function startMetrics(
  options: { args: readonly string[]; env: Readonly<Record<string, string>> },
): Promise<MetricsProcess> {
  const main = new URL("../../main.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", main.href, ...options.args, "--host", "127.0.0.1", "--port", "0"],
    env: options.env,
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  const served = Promise.withResolvers<string>();
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      log += text;
      const address = /metrics server started at (\S+)\/metrics/.exec(log)?.[1];
      if (address) served.resolve(`http://${address}`);
    }
    served.reject(new Error(`metrics ended before it served its page:\n${log}`));
  })();
  let ended = false;
  const stop = async (signal: Deno.Signal = "SIGTERM") => {
    if (!ended) child.kill(signal);
    const { code } = await child.status;
    ended = true;
    await reading;
    return code;
  };
  const url = await served.promise;
  return {
    url,
    log: () => log,
    page: async () => await (await fetch(`${url}/metrics`)).text(),
    stop,
    [Symbol.asyncDispose]: async () => void await stop(),
  };
}
