import assert from "node:assert/strict";
import { PageReader } from "../tools/page_reader.ts";
import { readFleet } from "./helpers/api_reader.ts";
import { eventually, steadily } from "./helpers/eventually.ts";
import { PlayedReport, type PlayedReportOptions, REPORTED, reportNames } from "./helpers/played_report.ts";
import { assertOneMoment, assertShown, type Shown, shownWorker } from "./helpers/shown_worker.ts";

const TIMEOUT = { timeoutMs: 10_000 };
/** How long right numbers are looked at, to see that they stay: each page is read twice, each event comes often. */
const STEADY = { forMs: 1_200 };

/** Inputs that people reported, and the numbers that are right for them. `undefined` is a number that must be absent. */
const CASES: readonly {
  readonly report: string;
  /** What is shown, after "shows". */
  readonly what: string;
  readonly right: Shown;
  readonly options?: PlayedReportOptions;
  readonly also?: (played: PlayedReport) => Promise<void>;
}[] = [
  {
    report: "a1-pid-usage",
    what: "the greatest usage of an engine's processes, not that of a process without work",
    right: { usage: 0.64125, running: 41, waiting: 7 },
  },
  {
    report: "a3-two-models",
    what: "the requests of both models of a worker, and the greatest usage",
    right: { running: 15, waiting: 5, usage: 0.6 },
  },
  {
    report: "b1-sglang-dp8",
    what: "the usage of eight ranks that stand in no order, and the mean of it",
    right: {
      usage: 0.33875,
      running: 32,
      waiting: 3,
      rankUsage: [0.31, 0.42, 0, 0.55, 0.2, 0.11, 0.77, 0.35],
      rankRunning: [3, 5, 0, 8, 2, 1, 9, 4],
      ranksExpected: 8,
      ranksHeard: 8,
    },
  },
  {
    report: "b3-trtllm-whole-engine-series",
    what: "numbers of a whole engine as the worker's, not as those of rank 0",
    right: {
      usage: 0.42,
      hits: 0.61,
      running: 14,
      waiting: 3,
      rankUsage: [0.4, 0.44],
      rankRunning: [undefined, undefined],
      rankWaiting: [undefined, undefined],
    },
  },
  {
    report: "c1-total-zero-before-first-request",
    what: "the card's total while the page says 0",
    right: { total: 12_000, slots: 256, usage: 0, running: 0 },
    also: async (played) => {
      const { stdout } = await played.top();
      assert.match(stdout, /^7587890388686163551 .* [0–]\/12,?000 /m);
    },
  },
  {
    report: "c3-dp2-only-last-rank-seeded",
    what: "the card's total of two ranks while one says a total of 1, and used blocks by the usage of each",
    right: {
      total: 128,
      usage: 0.5,
      used: 64,
      running: 18,
      rankUsage: [0.5, 0.5],
      ranksExpected: 2,
      ranksHeard: 2,
    },
  },
  {
    report: "d1-sglang-tokens-for-blocks",
    what: "blocks where a release says tokens",
    right: { usage: 0.5, used: 128, total: 256 },
  },
  {
    report: "d3-vllm-card-of-all-ranks",
    what: "the total of a card that holds all ranks once, and not for each rank",
    right: { usage: 0.5, total: 128, used: 64, running: 6, rankUsage: [0.5, 0.5] },
  },
  {
    report: "e1-no-nats-page-only",
    what: "a worker that is seen by its page alone as well as any other",
    right: { running: 4, waiting: 1, usage: 0.3, total: 64 },
    also: isWell,
  },
  {
    report: "e1-no-nats-page-only",
    what: "the same if nobody says --no-nats: its keys show that nothing of it comes over NATS",
    options: { args: [] },
    right: { running: 4, waiting: 1, usage: 0.3, total: 64 },
    also: isWell,
  },
  {
    report: "f1-http-request-plane",
    what: "the page at the host that an HTTP address in the key names",
    right: { running: 4 },
  },
  {
    report: "g1-sglang-decode-queues",
    what: "requests that wait in any queue of a decode engine",
    right: { running: 12, waiting: 42, usage: 0.93 },
  },
  {
    report: "h1-half-of-the-ranks",
    what: "both pages of a worker if the list names it for the second, whatever that page says",
    options: { secondLabels: { worker_id: REPORTED } },
    right: { running: 36, waiting: 8, usage: 0.5, ranksExpected: 8, ranksHeard: 8 },
    also: async (played) => {
      await eventually(() => {
        assert.equal(
          played.logged(/7587890388686163551.*7587890388686163552|7587890388686163552.*7587890388686163551/)
            .length,
          1,
        );
      }, TIMEOUT);
    },
  },
  {
    report: "h1-half-of-the-ranks",
    what: "four of eight ranks with a sign that the others are not heard",
    right: { running: 10, waiting: 4, usage: 0.5, ranksExpected: 8, ranksHeard: 4 },
    also: async (played) => {
      const { stdout } = await played.top();
      assert.match(stdout, /RANKS[^]* 4 of 8 /);
      await eventually(
        () => assert.ok(played.logged(/4 of 8 ranks/).length > 0, played.metrics.log()),
        TIMEOUT,
      );
    },
  },
  {
    report: "i1-hit-rate-from-counters",
    what: "the hit rate of two counters",
    right: { hits: 0.5, running: 1, waiting: 0, usage: 8.125e-6 },
  },
  {
    report: "k1-openmetrics-float-timestamps",
    what: "samples with a time in fractions of a second",
    right: { running: 3, waiting: 1, usage: 0.5 },
  },
  {
    report: "l1-blocked-port",
    what: "a page at a port that browsers block",
    right: { running: 4 },
  },
  {
    report: "ok-crlf-time-nan",
    what: "what can be read of a page with CRLF, times, and NaN",
    right: { running: 3, waiting: 1, usage: undefined },
  },
  {
    report: "ok-lora-card-below",
    what: "the card of the worker, not that of an adapter below it",
    right: { total: 256, used: 64, usage: 0.25 },
  },
  {
    report: "ok-prefill-help-only",
    what: "the card's total for a family that has no samples",
    right: { total: 500, running: 2, usage: undefined },
  },
  {
    report: "ok-sglang-cp8",
    what: "once what eight processes say of the same requests",
    right: { running: 4 },
  },
  {
    report: "ok-vllm-0.8-no-engine",
    what: "a page of vLLM 0.8, whose series name no engine",
    right: { running: 11, waiting: 2, usage: 6.25e-5 },
  },
];

for (const { report, what, right, options, also } of CASES) {
  Deno.test(`the report ${report} shows ${what}`, async () => {
    await using played = await PlayedReport.start(report, options);
    const look = async () => {
      await played.say(); // Subjects are subscribed to when their keys are read: say it until it is heard.
      const shown = await shownWorker(played.metrics.url, REPORTED);
      assertShown(shown, right);
      assertOneMoment(shown);
    };
    await eventually(look, TIMEOUT);
    await steadily(look, STEADY);
    await also?.(played);
  });
}

/** All is well for the probes and for `metrics top`. */
async function isWell(played: PlayedReport): Promise<void> {
  await eventually(async () => {
    const page = new PageReader(await played.metrics.page());
    assert.equal(page.value("dynamo_metrics_up"), 1);
    assert.deepEqual(page.states(), { [REPORTED]: "responding" });
    assert.deepEqual(await played.ready(), { status: "ok", reasons: [] });
  }, TIMEOUT);
  const { code, stdout, stderr } = await played.top();
  assert.match(stdout, /^7587890388686163551 +responding /m);
  assert.doesNotMatch(stderr, /error/i);
  assert.equal(code, 0);
}

/** Pages that cannot be read, and what is said of them once in the log and at the worker. */
const NOT_READ: readonly {
  readonly report: string;
  readonly what: string;
  readonly options?: PlayedReportOptions;
  readonly log: RegExp;
  readonly problem: RegExp;
}[] = [
  {
    report: "f2-nats-request-plane",
    what: "that a worker's key names no host for --worker-url",
    log: /names no host.*--worker-url|--worker-url.*names no host/,
    problem: /names no host/,
  },
  {
    report: "f3-port-refused",
    what: "that the connection to a page was refused",
    log: /connection refused/i,
    problem: /connection refused/i,
  },
  {
    report: "a1-pid-usage",
    what: "that TLS failed at a page without TLS",
    options: { args: ["--no-nats", "--worker-url", "https://{host}:{page_port}/metrics"] },
    log: /TLS error/,
    problem: /TLS error/,
  },
];

for (const { report, what, options, log, problem } of NOT_READ) {
  Deno.test(`the report ${report} shows ${what}, and never that nobody is there`, async () => {
    await using played = await PlayedReport.start(report, options);
    await eventually(async () => {
      assert.equal(played.logged(log).length, 1, played.metrics.log());
      const { targets: [target] } = await readFleet(played.metrics.url);
      const [worker, ...others] = target!.workers;
      assert.deepEqual([worker!.id, worker!.state, others], [REPORTED, "discovered", []]);
      assert.match(worker!.page_problem, problem);
    }, TIMEOUT);
    await steadily(() => {
      assert.deepEqual(played.logged(/No endpoints found/), []);
      assert.equal(played.logged(log).length, 1, played.metrics.log());
    }, STEADY);
  });
}

Deno.test("the report j1-file-store-old-files shows no worker, and the worker once its files are touched", async () => {
  await using played = await PlayedReport.start("j1-file-store-old-files");
  const shows = async (states: Readonly<Record<string, string>>) => {
    const page = new PageReader(await played.metrics.page());
    assert.equal(page.value("dynamo_metrics_file_store_readable"), 1);
    assert.deepEqual(page.states(), states);
    assert.equal(page.byWorker("llm_kv_blocks_total")[REPORTED], REPORTED in states ? 1_000 : undefined);
  };
  await eventually(() => shows({}), TIMEOUT);
  await steadily(() => shows({}), STEADY);
  for (const file of played.files) await Deno.utime(file, new Date(), new Date());
  await eventually(() => shows({ [REPORTED]: "discovered" }), TIMEOUT);
});

Deno.test("every report is played", () => {
  const played = [...CASES, ...NOT_READ].map(({ report }) => report);
  assert.deepEqual(reportNames(), [...new Set([...played, "j1-file-store-old-files"])].toSorted());
});
