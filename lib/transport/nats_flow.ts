import { setImmediate } from "node:timers";
import type { NatsConnection } from "nats";

/** What npm:nats says of itself in `nats-base-client/nats.d.ts`, and its transport under Deno is. */
interface Inner {
  readonly protocol: { readonly transport: { readonly socket: Socket } };
}

interface Socket {
  on(event: "data", listener: (data: Uint8Array) => void): void;
  pause(): void;
  resume(): void;
}

/** How much is taken in a turn of the event loop: of answers with load, what takes 2 ms to read. */
const TURN_BYTES = 256 * 1024;

/**
 * Takes what comes by a connection in slices. In one turn Deno reads up to 32 times 64 KiB of a socket, and npm:nats passes on
 * all of that: a third of ten thousand answers.
 */
export function takeInSlices(connection: NatsConnection): void {
  const { socket } = (connection as unknown as Inner).protocol.transport;
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
