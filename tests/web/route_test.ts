import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { Browser } from "../../tools/browser.ts";
import { PAGE_COLUMNS } from "../../lib/view/columns.ts";
import { BY_ATTENTION, STATES } from "../../lib/view/order.ts";
import { fleetHref, parseRoute, workerHref } from "../../web/route.ts";
import { eventually } from "../helpers/eventually.ts";
import { PlayedFleet, playedWorker } from "../helpers/played_fleet.ts";

const ALL = { page: "fleet", order: BY_ATTENTION, filter: { text: "", state: undefined }, row: 0 } as const;

const READ: readonly (readonly [hash: string, route: unknown])[] = [
  ["", ALL],
  ["#/", ALL],
  ["#/?", ALL],
  ["#nonsense", ALL],
  ["#/worker/%", ALL],
  ["#/worker/", ALL],
  ["#/other", ALL],
  ["#/worker/12", { page: "worker", id: "12" }],
  ["#/?q=llama&sort=waiting", {
    ...ALL,
    order: { key: "waiting", descending: true },
    filter: { text: "llama", state: undefined },
  }],
  ["#/?sort=waiting&order=ascending", { ...ALL, order: { key: "waiting", descending: false } }],
  ["#/?sort=none&state=none&row=-1", ALL],
  ["#/?row=1e9&order=descending", ALL],
  ["#/?state=silent&row=120", { ...ALL, filter: { text: "", state: "silent" }, row: 120 }],
];

for (const [hash, route] of READ) {
  Deno.test(`the address ${hash} is read as ${JSON.stringify(route)}`, () => {
    assert.deepEqual(parseRoute(hash), route);
  });
}

Deno.test("every way to look at the fleet is read again from its address", () => {
  for (const { key } of PAGE_COLUMNS) {
    for (const descending of [true, false]) {
      for (const state of [undefined, ...STATES]) {
        const route = {
          page: "fleet",
          order: { key, descending },
          filter: { text: `a +%&=#?${key}\u202e模`, state },
          row: 7,
        } as const;
        assert.deepEqual(parseRoute(fleetHref(route)), route);
      }
    }
  }
  assert.equal(fleetHref(ALL), "#/");
  assert.deepEqual(parseRoute(workerHref("a/b %")), { page: "worker", id: "a/b %" });
});

Deno.test("filter, order and place are as they were left after Back, the link back and a reload, and in a link", async () => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  fleet.publish(workers());
  const page = await browser.page(fleet.url);
  await page.getByRole("heading", { name: "400 workers" }).waitFor();
  await page.getByRole("button", { name: "Waiting" }).click();
  await page.getByRole("searchbox").fill("llama");
  await page.getByRole("button", { name: /^responding/ }).click();
  await page.evaluate("scrollTo(0, 2_000)");
  await eventually(async () => {
    assert.match(page.url(), /#\/\?q=llama&state=responding&sort=waiting&row=\d+$/);
    assert.ok(Number(await page.locator(".row").first().getAttribute("aria-rowindex")) > 10);
  });
  const left = await looks(page);
  assert.equal(left.scrollY, 2_000);
  const link = page.url();

  const open = async () => {
    await page.evaluate("document.querySelectorAll('.row-link')[20].click()"); // A mouse would scroll to it.
    await page.getByRole("heading", { level: 2 }).waitFor();
    assert.equal(await page.evaluate("scrollY"), 0);
  };
  await open();
  await page.goBack();
  await eventually(async () => assert.deepEqual(await looks(page), left));
  await open();
  await page.reload();
  await page.getByRole("link", { name: "← all workers" }).waitFor();
  await page.goBack();
  await eventually(async () => assert.deepEqual(await looks(page), left));
  await page.reload();
  await eventually(async () => assert.deepEqual(await looks(page), left));

  const near = async (page: Page) =>
    await eventually(async () => {
      const { scrollY, ...rest } = await looks(page);
      assert.deepEqual({ ...rest, scrollY: left.scrollY }, left);
      assert.ok(Math.abs(scrollY - left.scrollY) <= 32, `scrolled to ${scrollY}`);
    });
  await open();
  await page.getByRole("link", { name: "← all workers" }).click();
  await near(page);
  await near(await browser.page(link));
  await page.getByRole("link", { name: "metrics", exact: true }).click();
  await page.getByRole("heading", { name: "400 workers" }).waitFor();
  await eventually(async () => assert.equal(await page.evaluate("scrollY"), 0));
});

function workers() {
  return Array.from({ length: 400 }, (_, n) =>
    playedWorker(String(1_000 + n), {
      card: { worker: "1", ranks: 1, model: n % 2 === 0 ? "llama" : "qwen" } as never,
      numbers: { activeBlocks: n, totalBlocks: 400, requestsWaiting: (n * 37) % 401 },
    }));
}

/** What the reader sees of the table. */
async function looks(page: Page) {
  return {
    heading: await page.locator(".toolbar h2").textContent(),
    filter: await page.getByRole("searchbox").inputValue(),
    pressed: await page.locator(".chip[aria-pressed=true]").allTextContents(),
    order: await page.locator("th.col-waiting").getAttribute("aria-sort"),
    scrollY: await page.evaluate("scrollY") as number,
  };
}
