const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/**
 * Aborted when the process is told to end, with the signal's name for the reason's message; told a second time it ends at
 * once, with the code that a shell gives for the signal. To be imported before all else: until then a signal kills.
 */
export const termination: AbortSignal = untilTold();

function untilTold(): AbortSignal {
  const stop = new AbortController();
  for (const name of SIGNALS) {
    Deno.addSignalListener(name, () => {
      if (stop.signal.aborted) Deno.exit(name === "SIGTERM" ? 143 : 130);
      stop.abort(new DOMException(name, "AbortError"));
    });
  }
  return stop.signal;
}

/** Resolves when `signal` is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
