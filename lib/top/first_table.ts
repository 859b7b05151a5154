import { sleep } from "../timing.ts";
import { asciiText } from "./ascii.ts";
import { plainText } from "./plain.ts";
import type { FleetSource, Reading } from "./source.ts";

/** How long to wait for a whole picture; then what there is has to do. */
const PATIENCE_MS = 5_000;
const PAUSE_MS = 50;

/** Writes the first whole picture to stdout as a table, or what there is after a time; gives the exit code, 1 for nothing. */
export async function firstTable(
  source: FleetSource,
  { isAscii, signal }: { readonly isAscii: boolean; readonly signal: AbortSignal },
): Promise<number> {
  let reading = source.read();
  for (let waitedMs = 0; !isWhole(reading) && waitedMs < PATIENCE_MS; waitedMs += PAUSE_MS) {
    await sleep(PAUSE_MS, { signal });
    if (signal.aborted) return 0;
    reading = source.read();
    if (reading.isLost) break;
  }
  const { fleet, problem } = reading;
  const textOf = (text: string) => isAscii ? text.split("\n").map(asciiText).join("\n") : text;
  if (fleet) write(Deno.stdout, textOf(plainText(fleet, { reading, url: source.url })));
  const isUp = fleet?.targets.every(({ up }) => up) ?? false;
  if (!isUp) write(Deno.stderr, textOf(`error: Cannot see the fleet: ${problem ?? "nothing was heard"}\n`));
  return isUp ? 0 : 1;
}

/**
 * Nothing more is to be expected: somebody is there, and each answered, or is listed, so that there are no more, and has
 * said its blocks, which of one that speaks by itself may come last.
 */
export function isWhole({ fleet }: Pick<Reading, "fleet">): boolean {
  const isListed = fleet?.etcd?.connected === true;
  return fleet?.targets.every(({ up, workers }) =>
    up && workers.length > 0 &&
    workers.every(({ state, channels, kv_blocks_used }) =>
      state === "silent" || channels.includes("stats") || isListed && kv_blocks_used !== undefined
    )
  ) ?? false;
}

/** A reader that has seen enough closes the pipe. */
function write(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(to.writeSync(bytes));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
