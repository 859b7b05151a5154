import { joinBytes } from "../bytes.ts";
import { giveWay } from "../timing.ts";

/** How much text becomes bytes at once. */
const PART_LENGTH = 65_536;

/** The pieces of a text as bytes, one after the other, made while the loop goes on. */
export async function encode(pieces: Iterable<string>): Promise<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  const done: Uint8Array<ArrayBuffer>[] = [];
  let text = "";
  let taken = 0;
  for (const piece of pieces) {
    text += piece;
    if (++taken % PIECES === 0) await giveWay();
    if (text.length < PART_LENGTH) continue;
    done.push(encoder.encode(text));
    text = "";
  }
  done.push(encoder.encode(text));
  return joinBytes(done);
}

/** How many pieces are taken between two looks at the clock; many may be empty. */
const PIECES = 32;
