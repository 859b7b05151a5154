/**
 * ZMQ publishers of forward-pass events in one process, a socket each: told in JSON, its only argument, how many there
 * are and how often each speaks. It first says on which ports they are; then each line on its input is answered with what
 * was sent. (libzmq has a thread and queues of its own for what is a few bytes to write here, and would take the core that
 * the program is to have.)
 *
 * A publisher's messages go out a few at once, ten times a second: the reader looks at its sockets less often than that.
 */
import { type WorkerId, workerIdFromInteger } from "../../lib/dynamo/worker_id.ts";
import { greeting, pong, ready, ZmtpReader } from "../../lib/transport/zmtp.ts";
import { answerLines } from "../child.ts";
import { ForwardPasses } from "./forward_pass.ts";

export interface PublishersOptions {
  readonly publishers: number;
  readonly perSecond: number;
}

export interface PublishersReport {
  /** Of the publishers, in order. */
  readonly ports: readonly number[];
  readonly subscribed: number;
  readonly sent: number;
  /** Left out since a subscriber did not take what was sent before. */
  readonly dropped: number;
}

/** So many groups of publishers speak one after the other, each so often. */
const GROUPS = 10;
const TURN_MS = 100;

/** The n-th worker whose events these are, and its publisher's id, which says nothing of the worker. */
export function publishingWorker(n: number): { worker: WorkerId; publisher: WorkerId } {
  return {
    worker: id(0x1eee_a20c_5479_0001n + 2n * BigInt(n)),
    publisher: id(0x13_f475_a1f5_0001n + BigInt(n)),
  };
}

function id(value: bigint): WorkerId {
  return workerIdFromInteger(value)!;
}

/** One publisher with at most one subscriber at a time. */
class Publisher {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #passes: ForwardPasses;
  readonly #most: number;
  #socket: Deno.TcpConn | undefined;
  #isSending = false;
  dropped = 0;

  constructor(n: number, { most }: { most: number }) {
    this.#most = most;
    this.#passes = new ForwardPasses({ ...publishingWorker(n), most });
    void this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  get subscribed(): boolean {
    return this.#socket !== undefined;
  }

  get sent(): number {
    return this.#passes.sent;
  }

  async speak(count: number): Promise<void> {
    if (this.#socket === undefined) return;
    if (this.#isSending) {
      this.dropped += count;
      return;
    }
    this.#isSending = true;
    await write(this.#socket, this.#passes.next(Math.min(count, this.#most))).catch(() =>
      this.#socket = undefined
    );
    this.#isSending = false;
  }

  async #accept(): Promise<void> {
    for await (const socket of this.#listener) await this.#serve(socket).catch(() => {});
  }

  async #serve(socket: Deno.TcpConn): Promise<void> {
    socket.setNoDelay();
    const reader = new ZmtpReader({ maxMessageBytes: 1_000 });
    await write(socket, greeting());
    const buffer = new Uint8Array(1_024);
    for (let count = await socket.read(buffer); count !== null; count = await socket.read(buffer)) {
      for (const received of reader.read(buffer.subarray(0, count))) {
        if (received.kind === "greeting") await write(socket, ready("PUB"));
        else if (received.kind === "message") this.#socket = socket; // Its subscription.
        else if (received.name === "PING" && !this.#isSending) await write(socket, pong(received.data));
      }
    }
    this.#socket = undefined;
    socket.close();
  }
}

async function write(socket: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
}

if (import.meta.main) {
  const { publishers: count, perSecond } = JSON.parse(Deno.args[0]!) as PublishersOptions;
  const most = Math.ceil(4 * perSecond * TURN_MS / 1_000);
  const publishers = Array.from({ length: count }, (_, n) => new Publisher(n, { most }));
  const startMs = performance.now();
  const spoken = new Array<number>(GROUPS).fill(0);
  let turn = 0;
  setInterval(() => {
    const group = turn++ % GROUPS;
    const due = Math.floor((performance.now() - startMs) / 1_000 * perSecond);
    const now = due - spoken[group]!;
    spoken[group] = due;
    for (let n = group; n < count; n += GROUPS) void publishers[n]!.speak(now);
  }, TURN_MS / GROUPS);
  const sum = (value: (publisher: Publisher) => number) =>
    publishers.reduce((total, publisher) => total + value(publisher), 0);
  await answerLines((): PublishersReport => ({
    ports: publishers.map(({ port }) => port),
    subscribed: sum(({ subscribed }) => Number(subscribed)),
    sent: sum(({ sent }) => sent),
    dropped: sum(({ dropped }) => dropped),
  }));
}
