import { sleep } from "../timing.ts";
import { plainText } from "./plain.ts";
import type { FleetSource, Reading } from "./source.ts";

/** How long to wait until all workers have said something. */
const PATIENCE_MS = 5_000;
const PAUSE_MS = 50;

/** Writes the first whole picture to stdout as a table; gives the exit code, 1 when there is none. */
export async function firstTable(source: FleetSource, signal: AbortSignal): Promise<number> {
  let reading = source.read();
  for (let waitedMs = 0; !isWhole(reading) && waitedMs < PATIENCE_MS; waitedMs += PAUSE_MS) {
    await sleep(PAUSE_MS, { signal });
    if (signal.aborted) return 0;
    reading = source.read();
    if (reading.isLost) break;
  }
  const { fleet, problem } = reading;
  if (fleet) write(Deno.stdout, plainText(fleet, { reading, url: source.url }));
  const isUp = fleet?.targets.every(({ up }) => up) ?? false;
  if (!isUp) write(Deno.stderr, `error: Cannot see the fleet: ${problem ?? "nothing was heard"}\n`);
  return isUp ? 0 : 1;
}

/** Somebody is there, and everybody has said something. */
function isWhole({ fleet }: Reading): boolean {
  return fleet?.targets.every(({ up, workers, aggregate }) =>
    up && workers.length > 0 && aggregate.workers.discovered === 0
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
