/**
 * The program's own round and page, joined as `lib/commands/metrics.ts` joins them, in a process that a benchmark can
 * tell when to ask. Told in JSON, its only argument, where NATS is. Each line on its input is one round: answered with
 * when the page's bytes were there, in milliseconds since the question was sent, and what of it the answers took. (From
 * outside nobody sees the moment in which a page is ready, only the first poll after it.) The line `page FILE` writes the
 * newest page there.
 */
import { joinBytes } from "../../lib/bytes.ts";
import { CHANNELS } from "../../lib/events/observation.ts";
import { Pages } from "../../lib/exposition/pages.ts";
import { TEXT } from "../../lib/exposition/text.ts";
import { configureLogging, parseLogFilter } from "../../lib/log.ts";
import { Deployment } from "../../lib/deployment/deployment.ts";
import type { Noted } from "../../lib/deployment/recorder.ts";
import type { Round } from "../../lib/scrape/round.ts";
import { Telemetry } from "../../lib/telemetry/telemetry.ts";
import { giveWay, systemClock } from "../../lib/timing.ts";
import { NatsLink } from "../../lib/transport/nats.ts";
import { USER } from "../../tools/nats_users.ts";
import { answerLines } from "../child.ts";
import { TARGET as target } from "../fleet/replies.ts";

/** What a round was. */
export interface RoundReport {
  /** From the question to the bytes of the page. */
  readonly ms: number;
  /** From the question to the last answer, read. */
  readonly askedMs: number;
  /** From there to the Snapshot. */
  readonly snapshotMs: number;
  /** From there to the bytes. */
  readonly pageMs: number;
  readonly answers: number;
  readonly outcome: string;
}

/** Long enough for rounds that nobody asks for to be none of the measured ones. */
const HOUR_MS = 3_600_000;

/** Keeps the newest round, which says when the question was sent. */
class RoundTelemetry extends Telemetry {
  newest: Round | undefined;

  override note(noted: Noted): void {
    super.note(noted);
    if (noted.input.kind === "round") this.newest = noted.input.round;
  }
}

configureLogging({
  program: "bench",
  filter: parseLogFilter("error"),
  format: "text",
  localTime: false,
  colors: false,
});
const { nats: server } = JSON.parse(Deno.args[0]!) as { nats: string };
const { signal } = new AbortController();
const nats = new NatsLink({ servers: [server], name: "bench", auth: USER, signal });
const build = { version: "bench", revision: "bench" };
const telemetry = new RoundTelemetry({ targets: [target], build, pushing: false, publishing: false });
const deployment = new Deployment({
  targets: [target],
  nats,
  store: undefined,
  clock: systemClock,
  recorder: telemetry,
  pollIntervalMs: HOUR_MS,
  channels: new Set(CHANNELS),
  workerUrls: [],
  limits: { staleAfterMs: HOUR_MS, forgetAfterMs: 10 * HOUR_MS, stuckAfterMs: 10_000 },
});
const pages = new Pages({
  snapshot: () => deployment.snapshot,
  counted: () => telemetry.counted(),
  workerLabels: "full",
  pause: giveWay,
});
while (!nats.connected) await new Promise((resolve) => setTimeout(resolve, 10));
await answerLines((line) => line.startsWith("page ") ? writePage(line.slice("page ".length)) : round());

async function round(): Promise<RoundReport> {
  const stop = new AbortController();
  const before = telemetry.newest;
  const made = Promise.withResolvers<{ snapshotAtMs: number; atMs: number }>();
  using _ = deployment.subscribe(async () => {
    if (telemetry.newest === before) return; // Something else changed.
    const snapshotAtMs = performance.now();
    (await pages.lend(TEXT, "identity"))[Symbol.dispose]();
    made.resolve({ snapshotAtMs, atMs: performance.now() });
  });
  const running = deployment.run(stop.signal);
  const { snapshotAtMs, atMs } = await made.promise;
  stop.abort();
  await running;
  const { sentAt, endedAt, answers, outcome } = telemetry.newest!;
  return {
    ms: atMs - sentAt.monotonicMs,
    askedMs: endedAt.monotonicMs - sentAt.monotonicMs,
    snapshotMs: snapshotAtMs - endedAt.monotonicMs,
    pageMs: atMs - snapshotAtMs,
    answers: answers.length,
    outcome,
  };
}

async function writePage(file: string): Promise<{ bytes: number }> {
  using loan = await pages.lend(TEXT, "identity");
  const bytes = joinBytes(loan.page.parts);
  await Deno.writeFile(file, bytes);
  return { bytes: bytes.length };
}
