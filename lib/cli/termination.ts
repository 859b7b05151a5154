/** By which signals the program is told to end, each with the code that a shell gives for it. */
const SIGNALS: Readonly<Partial<Record<Deno.Signal, number>>> = Deno.build.os === "windows"
  ? { SIGINT: 130, SIGBREAK: 130 }
  : { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 };

/** Who starts us may want these ignored: `nohup` does so with the first, a script's shell with both in the background. */
const MAY_BE_IGNORED: Readonly<Partial<Record<Deno.Signal, number>>> = { SIGHUP: 1, SIGQUIT: 3 };

/**
 * A terminal that closes says so twice: the kernel tells the shell and all that runs in it, and the shell tells them too,
 * a few milliseconds apart. That is one order to end.
 */
const ONE_HANGUP_MS = 100;

/**
 * Aborted when the process is told to end, with the signal's name for the reason's message; told a second time it ends at
 * once, with the code that a shell gives for the signal. To be imported before all else: until then a signal kills.
 */
export const termination: AbortSignal = untilTold();

function untilTold(): AbortSignal {
  const stop = new AbortController();
  const ignored = ignoredSignals();
  let hangUpMs = -Infinity;
  for (const [name, code] of Object.entries(SIGNALS) as [Deno.Signal, number][]) {
    const number = MAY_BE_IGNORED[name];
    if (number !== undefined && isIgnored(number, ignored)) {
      // Once it hears any signal Deno ends by SIGHUP, ignored or not, unless somebody hears that.
      Deno.addSignalListener(name, () => {});
      continue;
    }
    Deno.addSignalListener(name, () => {
      const nowMs = performance.now();
      if (name === "SIGHUP") {
        if (nowMs - hangUpMs < ONE_HANGUP_MS) return;
        hangUpMs = nowMs;
      }
      if (stop.signal.aborted) Deno.exit(code);
      stop.abort(new DOMException(name, "AbortError"));
    });
  }
  return stop.signal;
}

function isIgnored(number: number, ignored: bigint): boolean {
  return (ignored >> BigInt(number - 1) & 1n) === 1n;
}

/**
 * The signals that this process was started with as ignored, a bit each, that of signal 1 the lowest: Linux says so
 * (proc_pid_status(5), SigIgn), to a program that may read all files. One that may not, as in our image, takes none as
 * ignored. Other systems do not say it: there SIGHUP counts as ignored, since a run under `nohup` must not end.
 */
function ignoredSignals(): bigint {
  if (Deno.build.os !== "linux") return 1n;
  try {
    const [, bits = "0"] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(Deno.readTextFileSync("/proc/self/status")) ?? [];
    return BigInt(`0x${bits}`);
  } catch {
    return 0n;
  }
}

/** Resolves when `signal` is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
