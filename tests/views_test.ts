import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { Browser } from "../tools/browser.ts";
import type { PageReader } from "../tools/page_reader.ts";
import { ownCommand } from "../tools/program.ts";
import { startNats } from "../tools/servers/nats.ts";
import { Terminal } from "../tools/terminal.ts";
import { type Fleet, readBoth } from "./helpers/api_reader.ts";
import { RawService, target } from "./helpers/deployment.ts";
import { eventually } from "./helpers/eventually.ts";
import { startMetrics } from "./helpers/metrics_process.ts";

/** What every view says, as text. What a view does not know is left out. */
interface Seen {
  readonly seq: string;
  /** How many workers are in each state in which there are any. */
  readonly states: Readonly<Record<string, string>>;
  /** Average and deviation. */
  readonly load: readonly [string, string];
  readonly workers: Readonly<Record<string, SeenWorker>>;
}

interface SeenWorker {
  readonly state: string;
  /** Used and all, as `10/100`. */
  readonly blocks?: string;
  readonly slots?: string;
  readonly waiting?: string;
}

/** What the workers answer: blocks in use, slots in use, requests waiting; null is an answer without load. */
const ANSWERS: Readonly<Record<string, readonly [number, number, number] | null>> = {
  a1: [10, 1, 0],
  b2: [25, 5, 7],
  c3: [90, 8, 12],
  d4: null,
};
/** Answers one question, and is silent. */
const SILENT = "e5";

Deno.test("the page, metrics top, the API and /metrics say the same of every worker at the same seq", async () => {
  await using nats = await startNats();
  await using raw = new RawService(nats.url);
  let asked = 0;
  raw.answer(({ send }) => {
    const again = asked++ > 0;
    for (const [hex, numbers] of Object.entries(ANSWERS)) send(reply(raw.service, hex, numbers));
    if (!again) send(reply(raw.service, SILENT, [50, 4, 3]));
  });
  // Between two rounds the seq stays, for nobody sends events: time for the slowest view to be read.
  const args = ["--component", target.component, "--endpoint", target.endpoint, "--no-etcd"]
    .concat("--poll-interval", "2", "--stale-after", "3", "--forget-after", "600");
  await using metrics = await startMetrics({ args, env: { NATS_SERVER: nats.url } });
  await using browser = await Browser.open();
  const page = await browser.page(metrics.url);
  await using terminal = await Terminal.open({ columns: 160 });
  await terminal.run(ownCommand("main.ts", ["top", "--url", metrics.url]));
  await page.getByRole("status").getByText("1 of 5 workers is silent").waitFor();

  await eventually(async () => {
    const [onPage, onScreen, { fleet, page: text }] = await Promise.all([
      seenOnPage(page),
      terminal.screen().then(seenOnScreen),
      readBoth(metrics.url),
    ]);
    const inApi = seenInApi(fleet);
    assert.deepEqual(inApi.states, { responding: "3", no_data: "1", silent: "1" });
    assert.deepEqual(seenInText(text, inApi.seq), inApi);
    assert.deepEqual(onScreen, inApi);
    assert.deepEqual(onPage, inApi);
  }, { timeoutMs: 30_000 });
});

function reply(service: string, hex: string, numbers: readonly [number, number, number] | null): string {
  const data = numbers && {
    request_active_slots: numbers[1],
    request_total_slots: 8,
    kv_active_blocks: numbers[0],
    kv_total_blocks: 100,
    num_requests_waiting: numbers[2],
  };
  const endpoints = [{ subject: `${service}.${target.endpoint}-${hex}`, data }];
  return JSON.stringify({ version: "0.0.1", endpoints });
}

/** What is drawn, at one moment. Bars have their numbers in their titles. */
async function seenOnPage(page: Page): Promise<Seen> {
  const drawn = await page.evaluate(`({
    seq: document.querySelector("footer").textContent,
    chips: [...document.querySelectorAll(".chip")].map((chip) => chip.textContent),
    figures: [...document.querySelectorAll(".figure")].map((figure) => figure.textContent),
    rows: [...document.querySelectorAll(".row")].map((row) => [
      ...["worker", "state", "waiting"].map((name) => row.querySelector(".col-" + name).textContent),
      ...["kv", "slots"].map((name) => row.querySelector(".col-" + name + " .bar")?.title),
    ]),
  })`) as { seq: string; chips: string[]; figures: string[]; rows: (string | undefined)[][] };
  const of = (title: string | undefined) => title?.replace(" of ", "/").replace(/ \w+$/, "");
  return {
    seq: /^Snapshot (\d+)/.exec(drawn.seq)?.[1] ?? "",
    states: Object.fromEntries(drawn.chips.map((chip) => {
      const [, state = "", count = ""] = /^([a-z ]+) (\d+)$/.exec(chip) ?? [];
      return [state.replace(" ", "_"), count];
    })),
    load: loadOf(drawn.figures.join("\n"), /^(\S+?)± (\S+) KV blocks$/m),
    workers: Object.fromEntries(drawn.rows.map(([id, state = "", waiting, blocks, slots]) => [
      id,
      known({ state: state.replace(" ", "_"), blocks: of(blocks), slots: of(slots), waiting }),
    ])),
  };
}

function seenOnScreen(screen: string): Seen {
  const counts = /^Workers 5(.*?)(?: {3}|$)/m.exec(screen)?.[1] ?? "";
  const row = /^[> ] (\d+) +(\w+) +(?:\S+ +\d+%|–) +(\S+) +(?:\S+ +\d+%|–) +(\S+) +(\S+) /gm;
  return {
    seq: / seq (\d+), /.exec(screen)?.[1] ?? "",
    states: Object.fromEntries(
      [...counts.matchAll(/(\d+) (\w+)/g)].map(([, count, state]) => [state, count!]),
    ),
    load: loadOf(screen, /^Load +(\S+) ± (\S+) blocks/m),
    workers: Object.fromEntries(
      [...screen.matchAll(row)].map(([, id, state = "", blocks, slots, waiting]) => [
        id,
        known({ state, blocks, slots, waiting }),
      ]),
    ),
  };
}

function seenInApi({ seq, targets }: Fleet): Seen {
  const { aggregate, workers } = targets[0]!;
  return {
    seq: String(seq),
    states: countsOf(Object.entries(aggregate.workers)),
    load: [aggregate.load_avg.toFixed(1), aggregate.load_std.toFixed(1)],
    workers: Object.fromEntries(workers.map((worker) => [
      worker.id,
      known({
        state: worker.state,
        blocks: of(worker.kv_blocks_used, worker.kv_blocks_total),
        slots: of(worker.slots_active, worker.slots_total),
        waiting: worker.requests_waiting?.toString(),
      }),
    ])),
  };
}

function seenInText(page: PageReader, seq: string): Seen {
  const workers = Object.entries(page.states()).map(([worker_id, state]) => {
    const value = (name: string) => page.value(name, { worker_id });
    return [
      worker_id,
      known({
        state,
        blocks: of(value("llm_kv_blocks_active"), value("llm_kv_blocks_total")),
        slots: of(value("llm_requests_active_slots"), value("llm_requests_total_slots")),
        waiting: value("dynamo_metrics_worker_requests_waiting")?.toString(),
      }),
    ] as const;
  });
  const counts = page.labels("dynamo_metrics_workers").map(({ state = "" }) =>
    [state, page.value("dynamo_metrics_workers", { state })!] as const
  );
  return {
    seq,
    states: countsOf(counts),
    load: [page.value("llm_load_avg")!.toFixed(1), page.value("llm_load_std")!.toFixed(1)],
    workers: Object.fromEntries(workers),
  };
}

function loadOf(text: string, pattern: RegExp): readonly [string, string] {
  const [, average = "", deviation = ""] = pattern.exec(text) ?? [];
  return [average, deviation];
}

function countsOf(counts: readonly (readonly [string, number])[]): Record<string, string> {
  return Object.fromEntries(
    counts.filter(([, count]) => count > 0).map(([state, count]) => [state, String(count)]),
  );
}

function of(used: number | undefined, all: number | undefined): string | undefined {
  return used === undefined && all === undefined ? undefined : `${used}/${all}`;
}

/** Without what is not known: an en dash in the views for people. */
function known({ state, ...numbers }: { state: string } & Record<string, string | undefined>): SeenWorker {
  const there = Object.entries(numbers).filter(([, text]) =>
    text !== undefined && text !== "–" && text !== ""
  );
  return { state, ...Object.fromEntries(there) };
}
