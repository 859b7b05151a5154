import { setImmediate } from "node:timers";
import type { NatsConnection } from "nats";
import { innerOf } from "./nats_inner.ts";

/** How much is taken in a turn of the event loop: of answers with load, what takes 2 ms to read. */
const TURN_BYTES = 256 * 1024;

/**
 * Takes what comes by a connection in slices. In one turn Deno reads up to 32 times 64 KiB of a socket, and npm:nats passes on
 * all of that: a third of ten thousand answers.
 */
export function takeInSlices(connection: NatsConnection): void {
  const { socket } = innerOf(connection).transport;
  let taken = 0;
  socket.on("data", ({ length }) => {
    if (taken === 0) {
      setImmediate(() => {
        if (taken >= TURN_BYTES) socket.resume();
        taken = 0;
      });
    }
    taken += length;
    if (taken >= TURN_BYTES) socket.pause();
  });
}
