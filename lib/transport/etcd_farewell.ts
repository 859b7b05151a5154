const FRAME_HEADER_BYTES = 9;
const GOAWAY = 7;

/**
 * Follows the frames that an HTTP/2 server sends (RFC 9113, 4.1), however they are cut into chunks.
 *
 * A server that stops says GOAWAY, and Deno 2.9.6 dies of it: a SIGSEGV inside nghttp2, which no code here can catch
 * (denoland/deno#36788). It was seen at every hundredth stop of an etcd. So the connection ends before that frame. gRPC
 * takes this as it takes a killed server. To be removed, with its tests, when Deno has mended that.
 */
export class FarewellReader {
  readonly #header: number[] = [];
  #payloadLeft = 0;

  /** How many bytes of the next chunk come before a GOAWAY is known. Usually all of them. */
  read(chunk: Uint8Array): number {
    for (let at = 0; at < chunk.length;) {
      if (this.#payloadLeft > 0) {
        const step = Math.min(this.#payloadLeft, chunk.length - at);
        this.#payloadLeft -= step;
        at += step;
        continue;
      }
      this.#header.push(chunk[at++]!);
      const [length2, length1, length0, type] = this.#header;
      if (type === GOAWAY) return Math.max(0, at - this.#header.length);
      if (this.#header.length < FRAME_HEADER_BYTES) continue;
      this.#payloadLeft = length2! * 65_536 + length1! * 256 + length0!;
      this.#header.length = 0;
    }
    return chunk.length;
  }
}
