/**
 * Real publishers, of libzmq, as one program: binds each port and says its message again and again, frame by frame as
 * it was captured, until SIGUSR2 quiets it. What it is told comes as JSON, its only argument.
 */
import { Publisher } from "zeromq";

export interface Replay {
  readonly port: number;
  /** In hex. */
  readonly frames: readonly string[];
  /** So many bytes more in the last frame; 0 when left out. */
  readonly padBytes?: number;
}

let isQuiet = false;

if (import.meta.main) {
  Deno.addSignalListener("SIGUSR2", () => {
    isQuiet = true;
    console.error("quiet");
  });
  await Promise.all((JSON.parse(Deno.args[0]!) as Replay[]).map(replay));
}

async function replay({ port, frames, padBytes = 0 }: Replay): Promise<never> {
  const socket = new Publisher();
  await socket.bind(`tcp://127.0.0.1:${port}`);
  console.error(`bound ${port}`);
  const message = [...frames.slice(0, -1), frames.at(-1)! + "ff".repeat(padBytes)]
    .map((frame) => Uint8Array.fromHex(frame));
  while (true) {
    if (!isQuiet) await socket.send(message);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
