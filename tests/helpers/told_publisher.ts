/**
 * Real publishers, of libzmq, as one program: binds each port of its arguments, and says what it is told at the address
 * that it prints. It is told by POST with a JSON list of {@link Speech}: each port says its messages in their order, then
 * the last of them again and again. A port that is not in the list is quiet.
 */
import { Publisher } from "zeromq";

export interface Speech {
  readonly port: number;
  /** At least one; the frames of each in hex. */
  readonly messages: readonly (readonly string[])[];
}

/** From one message to the next, and from one repetition to the next. */
const PAUSE_MS = 50;
const AGAIN_MS = 200;

if (import.meta.main) await main(Deno.args.map(Number));

async function main(ports: readonly number[]): Promise<void> {
  const sockets = new Map<number, Publisher>();
  for (const port of ports) {
    const socket = new Publisher();
    await socket.bind(`tcp://127.0.0.1:${port}`);
    sockets.set(port, socket);
  }
  let told = new AbortController();
  const onListen = ({ port }: { port: number }) => console.error(`told at http://127.0.0.1:${port}/`);
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, async (request) => {
    const speeches = await request.json() as readonly Speech[];
    told.abort();
    told = new AbortController();
    for (const { port, messages } of speeches) void say(sockets.get(port)!, messages, told.signal);
    return new Response();
  });
}

async function say(socket: Publisher, messages: Speech["messages"], signal: AbortSignal): Promise<void> {
  for (let n = 0; !signal.aborted; n++) {
    const message = messages[Math.min(n, messages.length - 1)]!;
    await socket.send(message.map((frame) => Uint8Array.fromHex(frame)));
    await new Promise((resolve) => setTimeout(resolve, n < messages.length - 1 ? PAUSE_MS : AGAIN_MS));
  }
}
