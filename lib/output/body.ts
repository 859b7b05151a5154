import { joinBytes, lengthOf } from "../bytes.ts";

/** Deno copies a body that it is given as bytes: from this size on that costs more than sending it in parts. */
const WHOLE_BYTES = 16 * 1024;
/** It does not copy a text; but it makes bytes of it at once, for each reader. */
const WHOLE_TEXT_BYTES = 256 * 1024;
/** Between two parts others have their turn. */
const PART_BYTES = 256 * 1024;

/** What an answer can be made of. */
export type Body = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

/** One after the other. */
type Parts = readonly Uint8Array<ArrayBuffer>[];

/**
 * The body of an answer: large ones go out in parts, which are views of the bytes that all readers share, so that a slow
 * reader costs nothing beside them. The answer must say its length. `onRead` is told when parts were read, or will not be; of
 * what goes out whole a Response has a copy.
 */
export function bodyOf(parts: Parts, onRead: () => void = () => {}): Body {
  return lengthOf(parts) <= WHOLE_BYTES ? wholeOf(parts) : inParts(parts, onRead);
}

/** Makes bodies of the bytes that many answers have; where they are UTF-8 text, small ones are sent as that. */
export function bodiesOf(
  parts: Parts,
  { isText }: { readonly isText: boolean },
): (onRead: () => void) => Body {
  if (isText && lengthOf(parts) <= WHOLE_TEXT_BYTES) {
    const text = new TextDecoder().decode(wholeOf(parts));
    return () => text;
  }
  return (onRead) => bodyOf(parts, onRead);
}

function wholeOf(parts: Parts): Uint8Array<ArrayBuffer> {
  const [first, ...others] = parts;
  return first !== undefined && others.length === 0 ? first : joinBytes(parts);
}

function inParts(parts: Parts, onRead: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      for (const part of parts) {
        for (let at = 0; at < part.length; at += PART_BYTES) {
          controller.enqueue(part.subarray(at, at + PART_BYTES));
        }
      }
    },
    pull: (controller) => { // The last part was dealt with, and more is asked for.
      controller.close();
      onRead();
    },
    cancel: onRead,
  }, { highWaterMark: 0 });
}
