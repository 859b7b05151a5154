/**
 * A real publisher, of libzmq, as a program: binds tcp://127.0.0.1:PORT and says each topic in turn, `pauseMs` apart, in
 * three frames: the topic, a number that counts, a body of `bodyBytes`. What it is told comes as JSON, its only argument.
 */
import { Publisher } from "zeromq";

export interface PublisherOptions {
  readonly port: number;
  readonly topics: readonly string[];
  readonly pauseMs: number;
  readonly bodyBytes: number;
  /** It PINGs its subscribers so often, and lets go of those that do not answer for five times that. 0: it does not. */
  readonly pingMs: number;
}

if (import.meta.main) await publish(JSON.parse(Deno.args[0]!));

async function publish({ port, topics, pauseMs, bodyBytes, pingMs }: PublisherOptions): Promise<never> {
  const socket = new Publisher(
    pingMs > 0 ? { heartbeatInterval: pingMs, heartbeatTimeout: 5 * pingMs } : {},
  );
  await socket.bind(`tcp://127.0.0.1:${port}`);
  console.error("bound");
  const body = new Uint8Array(bodyBytes).fill(7);
  for (let n = 0;; n++) {
    await socket.send([topics[n % topics.length]!, String(n), body]);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
