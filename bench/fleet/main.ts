/**
 * A fleet in one process: answers each `$SRV.STATS` question as so many workers, with other numbers each time. Told what
 * to play in JSON, its only argument. A line on its input is answered with how many questions came.
 */
import { serviceSubject } from "../../lib/micro/subjects.ts";
import { answerLines } from "../child.ts";
import { NatsSocket } from "./nats_socket.ts";
import { ReplyBlock } from "./reply_block.ts";
import { type FleetRelease, fleetService, replyText } from "./replies.ts";

export interface FleetOptions {
  readonly nats: string;
  readonly workers: number;
  readonly release: FleetRelease;
}

/** What the fleet says of itself. */
export interface FleetReport {
  readonly questions: number;
  /** The longest time from one question to the next since the last report. */
  readonly longestGapMs: number;
  /** The mean length of a reply. */
  readonly replyBytes: number;
}

/** So many sets of numbers, one after the other. */
const TURNS = 4;

const { nats, workers, release } = JSON.parse(Deno.args[0]!) as FleetOptions;
const blocks = Array.from(
  { length: TURNS },
  (_, turn) => new ReplyBlock(Array.from({ length: workers }, (_, n) => replyText(n, { release, turn }))),
);
const replyBytes = blocks.reduce((sum, block) => sum + block.replyBytes, 0) / TURNS;
let questions = 0;
let newestMs: number | undefined;
let longestGapMs = 0;
using socket = await NatsSocket.connect(nats);
const answering = socket.answer(serviceSubject("STATS", fleetService(release)), ({ reply }) => {
  const nowMs = performance.now();
  longestGapMs = Math.max(longestGapMs, nowMs - (newestMs ?? nowMs));
  newestMs = nowMs;
  const block = blocks[questions++ % TURNS]!;
  void socket.send(block.to(reply));
});
await Promise.race([answering, answerLines(report)]);

function report(): FleetReport {
  const told = { questions, longestGapMs, replyBytes };
  longestGapMs = 0;
  return told;
}
