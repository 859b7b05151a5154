import { createGzip } from "node:zlib";
import { joinBytes, lengthOf } from "../bytes.ts";

/** Lets others have their turn, when it is time. */
export type Pause = () => Promise<void> | undefined;

/** Below this size a better ratio costs less than a millisecond. */
const SMALL = 131_072;
/** How much is compressed at once; at level 1 a fraction of a millisecond. */
const SLICE = 131_072;

/** The bytes compressed: small ones well, large ones quickly, and in slices, because node:zlib in Deno has no thread. */
export async function gzip(
  parts: readonly Uint8Array<ArrayBuffer>[],
  pause: Pause,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = createGzip({ level: lengthOf(parts) < SMALL ? 6 : 1, chunkSize: SLICE });
  const packed: Uint8Array[] = [];
  stream.on("data", (part: Uint8Array) => packed.push(part));
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  stream.once("end", resolve).once("error", reject);
  for (const part of parts) {
    for (let from = 0; from < part.length; from += SLICE) {
      const slice = part.subarray(from, from + SLICE);
      await new Promise((resolve) => stream.write(slice, resolve)); // Else it would be kept, and all compressed at once.
      await pause();
    }
  }
  stream.end();
  await ended;
  return joinBytes(packed);
}
