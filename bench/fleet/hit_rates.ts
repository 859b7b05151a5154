/**
 * A router in one process: publishes kv-hit-rate events over NATS at a steady rate, as told in JSON, its only argument.
 * Each line on its input is answered with how many were sent.
 */
import { HIT_RATE_EVENT, hitRateText } from "../../lib/dynamo/hit_rate.ts";
import { eventSubject } from "../../lib/dynamo/subject.ts";
import { answerLines } from "../child.ts";
import { NatsSocket } from "./nats_socket.ts";
import { fleetWorker, TARGET } from "./replies.ts";

export interface HitRatesOptions {
  readonly nats: string;
  /** Whom the events name, one after the other. */
  readonly workers: number;
  readonly perSecond: number;
}

const TURN_MS = 10;
/** So many different events, again and again. */
const EVENTS = 4_096;

const { nats, workers, perSecond } = JSON.parse(Deno.args[0]!) as HitRatesOptions;
const subject = eventSubject(TARGET.namespace, HIT_RATE_EVENT);
const encoder = new TextEncoder();
const events = Array.from({ length: EVENTS }, (_, n) => {
  const islBlocks = 1 + n * 31 % 400;
  const text = hitRateText({
    worker: fleetWorker(n % workers),
    islBlocks,
    overlapBlocks: n * 17 % islBlocks,
  });
  return encoder.encode(`PUB ${subject} ${text.length}\r\n${text}\r\n`);
});
const buffer = new Uint8Array(events[0]!.length * EVENTS * 2);
using socket = await NatsSocket.connect(nats);
const startMs = performance.now();
let sent = 0;
let isSending = false;
setInterval(async () => {
  if (isSending) return;
  isSending = true;
  const due = Math.floor((performance.now() - startMs) / 1_000 * perSecond);
  let filled = 0;
  for (; sent < due && filled < buffer.length / 2; sent++) {
    const event = events[sent % EVENTS]!;
    buffer.set(event, filled);
    filled += event.length;
  }
  await socket.send(buffer.subarray(0, filled));
  isSending = false;
}, TURN_MS);
await answerLines(() => ({ sent }));
