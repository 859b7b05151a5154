import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { Browser } from "../../tools/browser.ts";
import { eventually } from "../helpers/eventually.ts";
import { PlayedFleet, playedWorker } from "../helpers/played_fleet.ts";
import { TcpProxy } from "../helpers/tcp_proxy.ts";

const TABS = 7;
const SILENT = { state: "silent", hasFallenSilent: true, numbers: {} } as const;

Deno.test("seven tabs of one browser are live, over one stream; each has the right title, also in the background", async () => {
  await using fleet = new PlayedFleet();
  using proxy = new TcpProxy({ hostname: "127.0.0.1", port: Number(new URL(fleet.url).port) });
  await using browser = await Browser.open();
  fleet.publish([playedWorker("1"), playedWorker("2")]);
  const url = `http://127.0.0.1:${proxy.port}/`;
  const first = await browser.page(url);
  await first.getByText("All 2 workers are alive").waitFor();
  fleet.publish([playedWorker("1"), playedWorker("2"), playedWorker("3")]);
  await first.getByText("All 3 workers are alive").waitFor();

  const tabs = [first];
  while (tabs.length < TABS) {
    const tab = await browser.page(tabs.length === 3 ? `${url}#/worker/3` : url, { beside: first });
    await tab.locator(tabs.length === 3 ? ".facts" : ".row").first().waitFor();
    tabs.push(tab);
  }
  assert.equal(fleet.streamsAsked, 1);
  fleet.publish([playedWorker("1"), playedWorker("2"), playedWorker("3", SILENT)]);
  await all(tabs, async (tab) => assert.match(await tab.title(), /silent/));

  await first.close();
  fleet.publish([playedWorker("1")]);
  tabs.shift();
  tabs.splice(2, 1); // The one with a worker's page.
  await all(tabs, async (tab) => assert.equal(await tab.locator(".row").count(), 1));

  proxy.cut();
  await all(tabs, async (tab) => {
    assert.match(await tab.title(), /server lost/);
    assert.equal(await tab.getByText("The server cannot be reached.").count(), 1);
  });
  proxy.restore();
  await all(tabs, async (tab) => assert.equal(await tab.getByRole("alert").count(), 0));
  assert.deepEqual(browser.faults, []);
});

Deno.test("a browser without shared workers, or that cannot load one, has a stream for the tab", async () => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  fleet.publish([playedWorker("1")]);
  for (const script of ["delete globalThis.SharedWorker", undefined]) {
    const page = await browser.page("about:blank");
    if (script === undefined) await page.context().route("**/feed_worker.js", (route) => route.abort());
    else await page.addInitScript(script);
    await page.goto(fleet.url);
    await page.getByText("The worker is alive").waitFor();
  }
});

Deno.test("without shared workers seven tabs open too: one that nobody sees holds no stream, and is live when it is seen", async () => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  fleet.publish([playedWorker("1")]);
  const first = await browser.page("about:blank");
  // Without a screen Chromium calls every tab seen.
  await first.context().addInitScript(
    "delete globalThis.SharedWorker; let hidden = false;" +
      "Object.defineProperty(document, 'hidden', { get: () => hidden });" +
      "globalThis.hide = (is) => { hidden = is; document.dispatchEvent(new Event('visibilitychange')); };",
  );
  await first.goto(fleet.url);
  const tabs = [first];
  while (tabs.length < TABS) {
    await tabs.at(-1)!.getByText("The worker is alive").waitFor();
    await tabs.at(-1)!.evaluate("hide(true)");
    tabs.push(await browser.page(fleet.url, { beside: first }));
  }
  await tabs.at(-1)!.getByText("The worker is alive").waitFor();
  fleet.publish([playedWorker("1"), playedWorker("2")]);
  await tabs.at(-1)!.getByText("All 2 workers are alive").waitFor();
  assert.equal(await first.getByText("The worker is alive").count(), 1);
  await first.evaluate("hide(false)");
  await first.getByText("All 2 workers are alive").waitFor();
  assert.deepEqual(browser.faults, []);
});

Deno.test("a page that the browser brings back by Back is live again", async () => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  fleet.publish([playedWorker("1")]);
  const page = await browser.page(fleet.url);
  await page.getByText("The worker is alive").waitFor();
  await page.goto(`${fleet.url}/api/v1/fleet`);
  fleet.publish([playedWorker("1"), playedWorker("2")]);
  await page.goBack();
  await page.getByText("All 2 workers are alive").waitFor();
  fleet.publish([playedWorker("1"), playedWorker("2"), playedWorker("3")]);
  await page.getByText("All 3 workers are alive").waitFor();
});

async function all(tabs: readonly Page[], check: (tab: Page) => Promise<void>): Promise<void> {
  for (const tab of tabs) await eventually(() => check(tab));
}
