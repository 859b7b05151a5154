import assert from "node:assert/strict";
import { PageReader } from "../../tools/page_reader.ts";
import { PAGE_PROBLEMS, type PageProblem } from "../../lib/pages/page_poller.ts";
import { CapturedDeployment, FIRST, SECOND } from "./captured_deployment.ts";
import { eventually } from "./eventually.ts";
import { type MetricsProcess, startMetrics } from "./metrics_process.ts";
import { capturedPage, PageServer } from "./page_server.ts";

/** The captured deployment of 1.6.1 with its workers' pages, and a running `metrics`. */
export class PagedDeployment implements AsyncDisposable {
  readonly #ends = new AsyncDisposableStack();

  private constructor(
    readonly captured: CapturedDeployment,
    readonly first: PageServer,
    readonly second: PageServer,
    readonly metrics: MetricsProcess,
  ) {}

  static async start(): Promise<PagedDeployment> {
    await using ends = new AsyncDisposableStack();
    const first = ends.use(new PageServer(() => new Response(capturedPage(1))));
    const second = ends.use(new PageServer(() => new Response(capturedPage(2))));
    const captured = ends.use(
      await CapturedDeployment.start("1.6.1-default", { pages: [first.origin, second.origin] }),
    );
    const metrics = ends.use(
      await startMetrics({
        args: ["--component", "backend", "--endpoint", "generate", "--poll-interval", "0.2"]
          .concat("--stale-after", "2", "--no-nats"),
        env: { ETCD_ENDPOINTS: captured.etcd.url },
      }),
    );
    const deployment = new PagedDeployment(captured, first, second, metrics);
    deployment.#ends.use(ends.move());
    return deployment;
  }

  async page(): Promise<PageReader> {
    return new PageReader(await this.metrics.page());
  }

  /** The workers whose pages are seen. */
  static seenByPage(page: PageReader): string[] {
    return [FIRST, SECOND].filter((worker_id) =>
      page.value("dynamo_metrics_worker_channel", { worker_id, channel: "http" }) === 1
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ends[Symbol.asyncDispose]();
  }
}

/**
 * The first worker's page goes wrong: its events are shown as ever, and its neighbour's page is read on, the refused are counted; then it is right
 * again.
 */
export async function firstPageGoesWrong(
  answer: (request: Request) => Response | Promise<Response>,
  { reason, cause, release }: {
    readonly reason: PageProblem;
    /** What the log says of it. */
    readonly cause?: string;
    readonly release?: () => void;
  },
): Promise<void> {
  await using deployment = await PagedDeployment.start();
  const { first, second } = deployment;
  const right = first.answer;
  await eventually(async () => {
    assert.deepEqual(PagedDeployment.seenByPage(await deployment.page()), [FIRST, SECOND]);
  });
  first.answer = answer;
  await eventually(async () => {
    assert.deepEqual(PagedDeployment.seenByPage(await deployment.page()), [SECOND]);
  });
  const neighbours = capturedPage(2).replaceAll(
    /^(dynamo_component_inflight_requests\{.*dynamo_endpoint="generate".*\}) .*/gm,
    "$1 7",
  );
  second.answer = () => new Response(neighbours);
  await eventually(async () => {
    const page = await deployment.page();
    assert.deepEqual(page.byWorker("dynamo_metrics_worker_requests_in_flight"), { [SECOND]: 7 });
    assert.deepEqual(page.byWorker("llm_requests_active_slots"), { [FIRST]: 4, [SECOND]: 4 });
    assert.deepEqual(page.states(), { [FIRST]: "responding", [SECOND]: "responding" });
    assert.deepEqual(PagedDeployment.seenByPage(page), [SECOND]);
    const rejected = PAGE_PROBLEMS.filter((problem) =>
      page.value("dynamo_metrics_pages_rejected_total", { reason: problem })! > 0
    );
    assert.deepEqual(rejected, [reason]);
  });
  if (cause !== undefined) {
    const said = deployment.metrics.log().split("\n").filter((line) => /page cannot be read/.test(line));
    assert.equal(said.length, 1);
    assert.ok(said[0]!.includes(cause), said[0]!);
  }
  first.answer = right;
  release?.();
  await eventually(async () => {
    assert.deepEqual(PagedDeployment.seenByPage(await deployment.page()), [FIRST, SECOND]);
  }, { timeoutMs: 20_000 });
}
