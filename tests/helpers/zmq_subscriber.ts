/**
 * A real subscriber, of libzmq, as a program: connects to tcp://127.0.0.1:PORT, subscribes to the topics, and writes each
 * message as a line to stderr: a JSON list of its frames in hex. After the first message of the last topic it
 * unsubscribes from that and says so. What it is told comes as JSON, its only argument.
 */
import { Subscriber } from "zeromq";

export interface SubscriberOptions {
  readonly port: number;
  readonly topics: readonly string[];
  /** It PINGs the publisher so often, and lets go of one that does not answer for five times that. 0: it does not. */
  readonly pingMs: number;
}

if (import.meta.main) await subscribe(JSON.parse(Deno.args[0]!));

async function subscribe({ port, topics, pingMs }: SubscriberOptions): Promise<void> {
  const socket = new Subscriber(
    pingMs > 0 ? { heartbeatInterval: pingMs, heartbeatTimeout: 5 * pingMs } : {},
  );
  socket.events.on("disconnect", () => console.error("disconnected"));
  socket.connect(`tcp://127.0.0.1:${port}`);
  socket.subscribe(...topics);
  let last = topics.length > 1 ? topics.at(-1) : undefined;
  for await (const frames of socket) {
    console.error(JSON.stringify(frames.map((frame) => new Uint8Array(frame).toHex())));
    if (frames[0]!.toString() === last) {
      socket.unsubscribe(last);
      last = undefined;
      console.error("unsubscribed");
    }
  }
}
