import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { Browser } from "../../tools/browser.ts";
import type { WorkerSnapshot } from "../../lib/fleet/worker_snapshot.ts";
import { eventually } from "../helpers/eventually.ts";
import { picture, violations } from "../helpers/page_checks.ts";
import { PlayedFleet, playedWorker } from "../helpers/played_fleet.ts";

const WORKERS = 10_000;
/** Ids of leases are near each other, and larger than a JavaScript number holds exactly. */
const FIRST_ID = 7_587_884_888_253_033_000n;

Deno.test("ten thousand workers are scrolled, sorted and filtered with rows for one screen in the document", async () => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  fleet.remember(workersAt);
  fleet.publish(workersAt(90));
  const page = await browser.page(fleet.url);
  await page.getByRole("heading", { name: "10,000 workers" }).waitFor();
  assert.equal(await firstRow(page), idOf(13), "silent ones come first");
  assert.ok(await rowCount(page) < 40, "rows are drawn that there is no room for");
  assert.equal(await page.locator("table").getAttribute("aria-rowcount"), "10001");

  await page.evaluate("scrollTo(0, document.body.scrollHeight / 2)");
  await eventually(async () => assert.ok(Number(await lastRowIndex(page)) > WORKERS / 2));
  assert.ok(await rowCount(page) < 200);

  await page.evaluate("scrollTo(0, document.body.scrollHeight)");
  await eventually(async () => assert.equal(await lastRowIndex(page), "10001"));
  assert.ok(await rowCount(page) < 200);

  await page.evaluate("scrollTo(0, 0)");
  await page.getByRole("button", { name: "Worker" }).click();
  await eventually(async () => assert.equal(await firstRow(page), idOf(0)));
  await page.getByRole("button", { name: "Worker" }).click();
  await eventually(async () => assert.equal(await firstRow(page), idOf(WORKERS - 1)));

  await page.getByRole("searchbox").fill("253033777");
  await page.getByRole("heading", { name: "1 of 10,000 workers" }).waitFor();
  assert.equal(await firstRow(page), idOf(777));
  await page.getByRole("searchbox").fill("");
  await page.getByRole("button", { name: /^silent/ }).click();
  await page.getByRole("heading", { name: "10 of 10,000 workers" }).waitFor();
  assert.equal(await page.locator(".row").count(), 10);

  await page.getByRole("button", { name: /^silent/ }).click();
  await page.getByRole("button", { name: "State" }).click();
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    assert.deepEqual(await violations(page), []);
    await picture(page, `ten-thousand-${scheme}`);
  }
  assert.deepEqual(browser.faults, []);
});

Deno.test("the page follows ten thousand workers that all change, at most once a second", async () => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  fleet.publish(workersAt(0));
  const page = await browser.page(fleet.url);
  await page.getByRole("heading", { name: "10,000 workers" }).waitFor();
  for (let n = 1; n <= 3; n++) {
    fleet.publish(workersAt(n));
    await page.getByText(`Snapshot ${n + 1}`, { exact: true }).waitFor();
  }
  assert.equal(await page.locator(".row").nth(20).locator(".col-waiting").textContent(), "3");
});

function workersAt(moment: number): WorkerSnapshot[] {
  return Array.from({ length: WORKERS }, (_, n) =>
    playedWorker(idOf(n), {
      numbers: {
        activeBlocks: Math.floor(((n * 37) % 1_000) * (0.7 + 0.3 * Math.sin(moment / 6))),
        totalBlocks: 1_000,
        activeSlots: Math.floor((n % 64) * (0.6 + 0.4 * Math.cos(moment / 9))),
        totalSlots: 64,
        requestsWaiting: moment,
      },
      endpoints: [{ endpoint: "generate", requests: n + moment, errors: 0, processingSeconds: 1 }],
      ...(n % 1_000 === 13 ? { state: "silent", numbers: {} } : {}),
    }));
}

function idOf(n: number): string {
  return String(FIRST_ID + BigInt(n));
}

async function firstRow(page: Page): Promise<string | null> {
  return await page.locator(".row-link").first().textContent();
}

async function lastRowIndex(page: Page): Promise<string | null> {
  return await page.locator(".row").last().getAttribute("aria-rowindex");
}

async function rowCount(page: Page): Promise<number> {
  return await page.locator("tr").count();
}
