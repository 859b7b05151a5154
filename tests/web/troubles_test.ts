import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { RankNumbers } from "../../lib/fleet/rank_reading.ts";
import type { WorkerSnapshot } from "../../lib/fleet/worker_snapshot.ts";
import { type Instant, systemClock } from "../../lib/timing.ts";
import { Browser } from "../../tools/browser.ts";
import { eventually } from "../helpers/eventually.ts";
import { violations } from "../helpers/page_checks.ts";
import { PlayedFleet, playedWorker } from "../helpers/played_fleet.ts";

const STUCK = "7587884888253033398";
const PARTIAL = "7587884888253033401";

Deno.test("the page names stuck workers and silent ranks, and no sum over some ranks is without its sign", async (test) => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  fleet.publish([playedWorker("1"), stuckWorker(), partialWorker()]);
  const page = await browser.page(fleet.url, { width: 1_280 });
  const verdict = page.getByRole("region", { name: "Verdict" });

  await test.step("the verdict is that a worker is stuck, and names who else needs a look", async () => {
    await verdict.getByRole("status").getByText("1 worker is stuck", { exact: true }).waitFor();
    const items = verdict.getByRole("listitem");
    await items.getByText(/…033398 is stuck: 8 requests in flight, no forward pass for 2\d s/).waitFor();
    await items.getByText("rank_silent 1 rank is silent. …033401 has a silent rank: 1").waitFor();
    await items.getByText("coverage_partial 1 worker with some ranks only. …033401 shows numbers of 4 of 8")
      .waitFor();
    assert.equal(await page.title(), "1 worker is stuck · my_component/my_endpoint · metrics");
    await seen(page);
  });

  await test.step("the rows say it, those in trouble first, with the requests in flight", async () => {
    await eventually(async () =>
      assert.deepEqual(await cells(page), [
        [STUCK, "stuck for n s", "0", "8"],
        [PARTIAL, "responding rank 1 is silent", "42", "3"],
        ["1", "responding", "0", "–"],
      ])
    );
    const signs = page.locator(".row").locator(".col-kv", { hasText: "4 of 8 ranks" });
    assert.equal(await signs.count(), 1);
    await page.locator(".card", { hasText: "Requests waiting" }).getByText("11 in flight").waitFor();
    const heights = await page.locator(".row").evaluateAll((rows) =>
      rows.map((row) => (row as unknown as { offsetHeight: number }).offsetHeight)
    );
    assert.deepEqual(heights, [32, 32, 32]);
  });

  await test.step("the worker's page says it in the worker's own words", async () => {
    await page.getByRole("link", { name: STUCK }).click();
    await page.getByText(/^8 requests in flight, no forward pass for \d+ s$/).waitFor();
    await seen(page);
    await page.goto(`${fleet.url}/#/worker/${PARTIAL}`);
    await page.getByText("rank 1 is silent").waitFor();
    await page.getByText("Page: http://10.0.0.1:9090/metrics: connection refused").waitFor();
    await page.getByRole("row", { name: "0 30 2 1 25 % 63 %" }).waitFor();
    await page.getByRole("row", { name: "1 silent – – – – –" }).waitFor();
    const figures = page.locator(".figure", { hasText: "4 of 8 ranks" });
    assert.equal(await figures.count(), 4, "each of the four figures has the sign");
    await seen(page);
  });

  await test.step("an engine that has not finished its first pass is no alarm", async () => {
    fleet.publish([playedWorker("1", { ...inFlight(8), isFirstPassPending: true })]);
    await page.goto(`${fleet.url}/#/worker/1`);
    await page.getByText("8 requests in flight, none started yet").waitFor();
    await page.goto(`${fleet.url}/#/`);
    await page.getByText("The worker is alive").waitFor();
    assert.equal(await page.locator(".row .bad").count(), 0);
  });

  await test.step("without any requests in flight there is no column for them", async () => {
    await page.locator("th.col-flight").waitFor();
    fleet.publish([playedWorker("1")]);
    await page.locator("th.col-flight").waitFor({ state: "detached" });
  });

  assert.deepEqual(browser.faults, []);
});

Deno.test("on 390 pixels a row has the sign and the trouble in full, and nothing is scrolled sideways", async () => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  fleet.publish([stuckWorker(), partialWorker()]);
  const page = await browser.page(fleet.url, { width: 390, height: 844 });
  const small = page.locator(".row small");
  await eventually(async () => {
    const texts = (await small.allInnerTexts()).map((text) => text.replace(/\d+ s$/, "n s"));
    assert.deepEqual(texts, ["for n s", "rank 1 is silent", "4 of 8 ranks"]);
  });
  const isCut =
    "[...document.querySelectorAll('.row small')].map((one) => one.scrollWidth > one.clientWidth)";
  assert.deepEqual(await page.evaluate(isCut), [false, false, false]);
  assert.equal(await page.locator("th.col-flight").isVisible(), false);
  await seen(page);
  await page.goto(`${fleet.url}/#/worker/${PARTIAL}`);
  await page.getByRole("row", { name: "1 silent" }).waitFor();
  await seen(page);
});

/** axe-core finds nothing in either theme, and nothing is scrolled sideways. */
async function seen(page: Page): Promise<void> {
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    assert.deepEqual(await violations(page), []);
  }
  assert.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
}

/** Of each row the worker, what its state cell says, its waiting requests, and those in flight. */
async function cells(page: Page): Promise<string[][]> {
  const rows = await page.locator(".row").all();
  return await Promise.all(rows.map((row) =>
    Promise.all([
      row.locator(".col-worker").innerText(),
      row.locator(".col-state").innerText().then((text) =>
        text.replace(/\s+/g, " ").replace(/\d+ s$/, "n s")
      ),
      row.locator(".col-waiting").innerText(),
      row.locator(".col-flight").innerText(),
    ])
  ));
}

function inFlight(requestsInFlight: number): Pick<WorkerSnapshot, "numbers"> {
  return { numbers: { ...playedWorker("1").numbers, requestsInFlight } };
}

function stuckWorker(): WorkerSnapshot {
  return playedWorker(STUCK, { ...inFlight(8), stuckSince: ago(20), stuckSeconds: 20 });
}

function partialWorker(): WorkerSnapshot {
  const { numbers } = inFlight(3);
  return playedWorker(PARTIAL, {
    numbers: { ...numbers, requestsWaiting: 42, cacheUsageRatio: 0.27 },
    ranks: [rank(0), silentRank(1), rank(2), rank(3), rank(4)],
    coverage: { expected: 8, heard: 4, blocks: 4, running: 4 },
    pageProblem: "http://10.0.0.1:9090/metrics: connection refused",
  });
}

function rank(dpRank: number): RankNumbers {
  const numbers = { usedBlocks: 30, running: 2, waiting: 1, cacheUsageRatio: 0.25, prefixHitRatio: 0.63 };
  return { dpRank, ...numbers, isSilent: false };
}

function silentRank(dpRank: number): RankNumbers {
  const unknown = { usedBlocks: undefined, running: undefined, waiting: undefined };
  return { dpRank, ...unknown, cacheUsageRatio: undefined, prefixHitRatio: undefined, isSilent: true };
}

function ago(seconds: number): Instant {
  const { monotonicMs, epochMs } = systemClock();
  return { monotonicMs: monotonicMs - seconds * 1_000, epochMs: epochMs - seconds * 1_000 };
}
