import { joinBytes } from "../bytes.ts";
import { nextTurn, systemClock } from "../timing.ts";

/** How long the loop is held at once: a fleet of ten thousand workers takes many times that. */
const SLICE_MS = 5;
/** How many pieces are taken between two looks at the clock. */
const PIECES = 32;

/** The pieces of a text as bytes, one after the other, made while the loop goes on. */
export async function encode(pieces: Iterable<string>): Promise<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  const done: Uint8Array<ArrayBuffer>[] = [];
  let text = "";
  let taken = 0;
  let sinceMs = systemClock().monotonicMs;
  for (const piece of pieces) {
    text += piece;
    if (++taken % PIECES !== 0 || systemClock().monotonicMs - sinceMs < SLICE_MS) continue;
    done.push(encoder.encode(text));
    text = "";
    await nextTurn();
    sinceMs = systemClock().monotonicMs;
  }
  done.push(encoder.encode(text));
  return joinBytes(done);
}
