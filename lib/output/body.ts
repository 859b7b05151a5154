/** Deno copies the bytes of a body in one piece before it sends them: for more than this that holds up all else. */
const WHOLE_BYTES = 1024 * 1024;
const PART_BYTES = 256 * 1024;

/**
 * The body of an answer: large ones go out in parts as the reader takes them, so that a slow reader costs a part beside the
 * page, which is shared, and not a copy of it. The answer must say its length.
 */
export function bodyOf(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  if (bytes.length <= WHOLE_BYTES) return bytes;
  let at = 0;
  return new ReadableStream({
    pull: (controller) => {
      controller.enqueue(bytes.slice(at, at + PART_BYTES)); // What is sent is taken away.
      at += PART_BYTES;
      if (at >= bytes.length) controller.close();
    },
  }, { highWaterMark: 0 });
}
