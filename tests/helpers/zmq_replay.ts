/**
 * Real publishers, of libzmq, as one program: binds each port and says its message again and again, frame by frame as
 * it was captured. What it is told comes as JSON, its only argument.
 */
import { Publisher } from "zeromq";

export interface Replay {
  readonly port: number;
  /** In hex. */
  readonly frames: readonly string[];
}

if (import.meta.main) await Promise.all((JSON.parse(Deno.args[0]!) as Replay[]).map(replay));

async function replay({ port, frames }: Replay): Promise<never> {
  const socket = new Publisher();
  await socket.bind(`tcp://127.0.0.1:${port}`);
  console.error(`bound ${port}`);
  while (true) {
    await socket.send(frames.map((frame) => Uint8Array.fromHex(frame)));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
