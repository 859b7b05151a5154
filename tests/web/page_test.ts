import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { rankOf } from "../helpers/plain_worker.ts";
import type { WorkerSnapshot } from "../../lib/fleet/worker_snapshot.ts";
import { Browser } from "../../tools/browser.ts";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { picture, violations } from "../helpers/page_checks.ts";
import { PlayedFleet, playedWorker } from "../helpers/played_fleet.ts";
import { TcpProxy } from "../helpers/tcp_proxy.ts";

Deno.test("the page says that it lost its server, greys out, and goes on when it is back", async () => {
  await using deployment = await Deployment.start();
  using proxy = new TcpProxy({ hostname: "127.0.0.1", port: Number(new URL(deployment.metrics.url).port) });
  await using browser = await Browser.open();
  deployment.play(2);
  const page = await browser.page(`http://127.0.0.1:${proxy.port}/`);
  await page.getByText("All 2 workers are alive").waitFor();

  proxy.cut();
  await page.getByRole("alert").getByText("The server cannot be reached.").waitFor();
  await eventually(async () =>
    assert.equal(await page.title(), "server lost · my_component/my_endpoint · metrics")
  );
  assert.equal(await filterOf(page), "grayscale(1)");
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    assert.deepEqual(await violations(page), []);
  }

  proxy.restore();
  await page.getByRole("alert").waitFor({ state: "detached" });
  assert.equal(await filterOf(page), "none");
  deployment.play(1, { seed: "2" });
  await page.getByText("All 3 workers are alive").waitFor();
  // On a full machine workers fall silent and are back, which are later changes.
  await page.getByRole("article", { name: "Changes" }).getByText(/server\s*lost\s*for \d/).waitFor({
    state: "attached",
  });
});

Deno.test("a proxy that ends each stream after some seconds is no alarm", async () => {
  await using fleet = new PlayedFleet();
  using proxy = new TcpProxy({ hostname: "127.0.0.1", port: Number(new URL(fleet.url).port) });
  await using browser = await Browser.open();
  fleet.publish([playedWorker("1")]);
  const page = await browser.page(`http://127.0.0.1:${proxy.port}/`);
  await page.getByText("The worker is alive").waitFor();
  await page.evaluate(`
    globalThis.seen = [];
    new MutationObserver(() => {
      const alert = document.querySelector("[role=alert]");
      if (alert !== null || /lost/.test(document.title)) seen.push(alert?.textContent ?? document.title);
    }).observe(document, { subtree: true, childList: true, characterData: true });
  `);
  for (let cut = 0; cut < 3; cut++) {
    fleet.publish([playedWorker("1"), playedWorker("2")]);
    await page.getByText("All 2 workers are alive").waitFor();
    proxy.drop();
    fleet.publish([playedWorker("1")]);
    await page.getByText("The worker is alive").waitFor();
  }
  assert.deepEqual(await page.evaluate("seen"), []);
});

Deno.test("an open page says that the program was updated, and nothing if it is only started anew", async () => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  fleet.upgrade("0.4.0");
  fleet.publish([playedWorker("1")]);
  const page = await browser.page(fleet.url);
  await page.getByText("The worker is alive").waitFor();
  const notice = page.getByText("metrics was updated, it is now 0.4.1+abc.");
  for (
    const [version, workers] of [["0.4.0", 2], ["0.4.1+abc", 3], ["0.4.0", 4], ["0.4.1+abc", 5]] as const
  ) {
    fleet.upgrade(version);
    fleet.publish(Array.from({ length: workers }, (_, n) => playedWorker(String(n))));
    await page.getByText(`All ${workers} workers are alive`).waitFor();
    assert.equal(await notice.count(), version === "0.4.0" ? 0 : 1);
  }
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    assert.deepEqual(await violations(page), []);
  }
  await notice.getByRole("button", { name: "Reload" }).click();
  await notice.waitFor({ state: "detached" });
  await page.getByText("All 5 workers are alive").waitFor();
  assert.equal(await notice.count(), 0);
});

Deno.test("a server that hangs with its connection open is lost, too", async () => {
  await using deployment = await Deployment.start();
  await using browser = await Browser.open();
  deployment.play(1);
  const page = await browser.page(deployment.metrics.url);
  await page.getByText("The worker is alive").waitFor();
  deployment.metrics.pause();
  const updated = page.getByRole("listitem").filter({ hasText: "updated" });
  await updated.getByText(/^(?:[5-9]|\d\d) s ago$/).waitFor();
  assert.match((await updated.getAttribute("class"))!, /warn/);
  await page.getByRole("alert").waitFor({ timeout: 30_000 });
  deployment.metrics.resume();
  await page.getByRole("alert").waitFor({ state: "detached", timeout: 30_000 });
});

Deno.test("the title says what is wrong while the tab is in the background, where nothing is drawn", async () => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  fleet.publish([playedWorker("1"), playedWorker("2")]);
  const page = await browser.page(fleet.url);
  await page.getByText("All 2 workers are alive").waitFor();
  await page.evaluate("globalThis.requestAnimationFrame = () => 1");
  fleet.publish([
    playedWorker("1"),
    playedWorker("2", { state: "silent", hasFallenSilent: true, numbers: {} }),
  ]);
  await eventually(async () =>
    assert.equal(await page.title(), "1 of 2 workers is silent · my_component/my_endpoint · metrics")
  );
  fleet.publish([playedWorker("1"), playedWorker("2")]);
  await eventually(async () => assert.equal(await page.title(), "my_component/my_endpoint · metrics"));
});

Deno.test("names with markup in them stay text", async () => {
  const markup = `<img src=x onerror="document.title='run'"><b>bold</b>`;
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  fleet.publish([playedWorker("42", {
    card: { worker: "42", ranks: 1, model: markup } as never,
    endpoints: [{ endpoint: markup, requests: 1, errors: 1, processingSeconds: 1 }],
    estimates: [{ router: markup, dpRank: 0, activeDecodeBlocks: 1, activePrefillTokens: 1 }],
  })]);
  const page = await browser.page(fleet.url);
  await page.getByRole("cell", { name: markup, exact: true }).waitFor();
  await page.getByRole("link", { name: "42", exact: true }).last().click();
  await page.getByRole("heading", { name: "42" }).waitFor();
  assert.equal(await page.getByText(markup, { exact: true }).count(), 3);
  assert.equal(await page.locator("img, main b").count(), 0);
  assert.deepEqual(browser.faults, []);
});

Deno.test("what would not be seen of a name is made visible wherever the name is, and an empty one is said to be", async () => {
  const odd = "\u202eevil\u202eledom/8B\u200b\n";
  const shown = "�evil�ledom/8B��";
  await using fleet = new PlayedFleet({
    target: { namespace: "a\u200bb", component: "", endpoint: odd },
  });
  await using browser = await Browser.open();
  const named = (name: string): Partial<WorkerSnapshot> => ({
    card: { worker: "42", ranks: 1, model: name } as never,
    service: { version: name } as never,
    pageProblem: `http://h/${odd}: refused`,
    endpoints: [{ endpoint: name, requests: 1, errors: 1, processingSeconds: 1 }],
    estimates: [{ router: name, dpRank: 0, activeDecodeBlocks: 1, activePrefillTokens: 1 }],
  });
  fleet.publish([playedWorker("42", named(odd)), playedWorker("43", named(""))]);
  const page = await browser.page(fleet.url);
  const path = `a�b/(empty)/${shown}`;
  await page.getByRole("heading", { name: path, exact: true }).waitFor();
  await page.getByRole("cell", { name: shown, exact: true }).waitFor();
  await page.getByRole("cell", { name: "(empty)", exact: true }).waitFor();
  await page.goto(`${fleet.url}/#/worker/42`);
  await page.getByText(`Page: http://h/${shown}: refused`).waitFor();
  assert.equal(await page.getByText(shown, { exact: true }).count(), 4, "model, version, router, endpoint");
  await page.goto(`${fleet.url}/#/worker/43`);
  await page.getByRole("heading", { name: "43", exact: true }).waitFor();
  assert.equal(await page.getByText("(empty)", { exact: true }).count(), 4);
  await page.goto(`${fleet.url}/#/worker/%E2%80%AEx`);
  await page.getByText(`There is no worker �x at ${path}.`).waitFor();
  fleet.publish([]);
  await page.goto(`${fleet.url}/#/`);
  await page.getByText(`No worker is registered at ${path}`).waitFor();
  const raw = await page.evaluate(
    String.raw`/[\u202e\u200b]/.test(document.documentElement.outerHTML + document.title)`,
  );
  assert.equal(raw, false);
});

Deno.test("a worker has a page that can be linked to, with all its numbers; it stays when the worker goes", async () => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  const id = "7587884888253033398";
  fleet.publish([
    playedWorker("1"),
    playedWorker(id, {
      ranks: [
        rankOf(0, { usedBlocks: 30, running: 2, waiting: 1 }),
        rankOf(1, { usedBlocks: 10, running: 0, waiting: 0 }),
      ],
      endpoints: [{ endpoint: "generate", requests: 1_234, errors: 5, processingSeconds: 90 }],
    }),
  ]);
  const page = await browser.page(`${fleet.url}/#/worker/${id}`);
  await page.getByRole("heading", { name: id }).waitFor();
  await page.getByText(BigInt(id).toString(16)).waitFor();
  await page.getByRole("row", { name: "0 30 2 1" }).waitFor();
  await page.getByRole("row", { name: "generate 1,234 5 90 s" }).waitFor();
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    assert.deepEqual(await violations(page), []);
  }
  assert.equal(await page.title(), "…033398 · my_component/my_endpoint · metrics");
  fleet.publish([playedWorker("1")]);
  await page.getByText("gone; these were its last numbers").waitFor();
  assert.deepEqual(await violations(page), []);
  await page.getByRole("link", { name: "← all workers" }).click();
  await page.getByRole("heading", { name: "1 worker", exact: true }).waitFor();
  assert.equal(await page.title(), "my_component/my_endpoint · metrics");
  await page.goto(`${fleet.url}/#/worker/999`);
  await page.getByText("There is no worker 999 at dynamo/my_component/my_endpoint.").waitFor();
});

Deno.test("rows stay where they are under a mouse, and for some seconds after a touch", async () => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  const publish = (first: number, second: number) =>
    fleet.publish(
      [first, second].map((activeBlocks, n) =>
        playedWorker(String(n + 1), { numbers: { activeBlocks, totalBlocks: 100 } })
      ),
    );
  const page = await browser.page(fleet.url);
  const shows = (...cells: readonly string[]) =>
    eventually(async () =>
      assert.deepEqual(await page.locator(".row :is(.col-worker, .col-kv)").allTextContents(), cells)
    );
  publish(80, 20);
  await shows("1", "80 %", "2", "20 %");

  await page.locator(".row").last().hover();
  publish(30, 70);
  await shows("1", "30 %", "2", "70 %");
  await page.getByText("order held").waitFor();
  await page.mouse.move(0, 0);
  await shows("2", "70 %", "1", "30 %");

  await page.locator("tbody").dispatchEvent("pointerdown", { pointerType: "touch" });
  await page.locator("tbody").dispatchEvent("pointerleave", { pointerType: "touch" });
  publish(60, 40);
  await shows("2", "40 %", "1", "60 %");
  await page.getByText("order held").waitFor();
  await shows("1", "60 %", "2", "40 %");
});

Deno.test("the hit rate says that it is since the start, and its chart that it is not", async () => {
  await using deployment = await Deployment.start({ withoutEtcd: true });
  await using browser = await Browser.open();
  const raw = deployment.raw();
  const page = await browser.page(deployment.metrics.url);
  const card = page.locator(".card", { hasText: "KV hit rate" });
  await card.getByText("no router's events heard").waitFor();
  assert.equal(await card.getByText("at each moment").count(), 0);
  await eventually(async () => {
    raw.publish("namespace.dynamo.kv-hit-rate", '{"worker_id":1,"isl_blocks":4,"overlap_blocks":1}');
    assert.equal(await card.locator(".figure").textContent(), "25 %since the start of metrics");
  });
  await card.getByText("at each moment").waitFor();
});

Deno.test("all can be done by keyboard", async () => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  fleet.publish(Array.from({ length: 30 }, (_, n) => playedWorker(String(100 + n))));
  const page = await browser.page(fleet.url);
  await page.locator(".row").first().waitFor();

  await page.keyboard.press("/");
  await page.keyboard.type("12");
  await eventually(async () => assert.equal(await page.locator(".row").count(), 11));
  await page.keyboard.press("/");
  assert.equal(await page.getByRole("searchbox").inputValue(), "12/");
  await page.keyboard.press("Escape");
  await eventually(async () => assert.equal(await page.locator(".row").count(), 30));
  assert.equal(await focused(page), "");

  await page.getByRole("button", { name: "Worker" }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("th.col-worker").getAttribute("aria-sort"), "descending");
  await page.locator(".row-link").first().focus();
  assert.equal(await focused(page), "129");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(page), "128");
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(page), "129");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "129" }).waitFor();
});

Deno.test("who uses the keyboard keeps the row, wherever the order and the scroll would take it", async () => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  const publish = (moment: number, without?: string) =>
    fleet.publish(
      Array.from({ length: 300 }, (_, n) =>
        playedWorker(String(1_000 + n), {
          numbers: { activeBlocks: (n * 97 + moment * 131) % 301, totalBlocks: 301 },
        })).filter(({ id }) => id !== without),
    );
  publish(0);
  const page = await browser.page(fleet.url);
  await page.locator(".row").first().waitFor();
  await page.getByRole("button", { name: "Seen" }).focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowDown");
  const kept = await focused(page);
  const order = () => page.locator(".row-link").allTextContents();
  const before = await order();
  assert.equal(before[1], kept);
  for (let moment = 1; moment <= 3; moment++) {
    publish(moment);
    await page.getByText(`Snapshot ${moment + 1}`, { exact: true }).waitFor();
    assert.deepEqual([await focused(page), (await order()).slice(0, 20)], [kept, before.slice(0, 20)]);
  }
  await page.getByText("order held").waitFor();

  await page.evaluate("scrollTo(0, document.body.scrollHeight)");
  await eventually(async () =>
    assert.equal(await page.locator(".row").last().getAttribute("aria-rowindex"), "301")
  );
  assert.equal(await focused(page), kept);
  assert.ok(await page.locator(".row").count() < 100);
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(page), before[2]);
  await eventually(async () => assert.equal((await order())[1], kept, "it is scrolled to"));

  publish(4, before[2]);
  await eventually(async () => assert.equal(await focused(page), before[3], "the next takes the place"));

  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: before[3]! }).waitFor();
  await eventually(async () => assert.equal(await focused(page), before[3], "the heading"));
  await page.goBack();
  await eventually(async () =>
    assert.match(String(await page.evaluate("document.activeElement.hash")), new RegExp(before[3]!))
  );
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  await eventually(async () => assert.equal(await page.getByText("order held").count(), 0));
});

Deno.test("on 390 pixels nothing is scrolled sideways, and all that counts is there", async () => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  const id = "7587884888253033398";
  fleet.publish([
    playedWorker(id, {
      card: { worker: id, ranks: 1, model: "x".repeat(200) } as never,
      endpoints: [{ endpoint: "y".repeat(200), requests: 1, errors: 1, processingSeconds: 1 }],
    }),
    playedWorker("18446744073709551615", { state: "undecodable", numbers: {} }),
  ]);
  for (const scheme of ["light", "dark"] as const) {
    const page = await browser.page(fleet.url, { scheme, width: 390, height: 844 });
    await page.locator(".row").first().waitFor();
    // A phone has no key for it.
    assert.equal(
      await page.getByRole("searchbox").getAttribute("placeholder"),
      "Filter by id, state or model",
    );
    await eventually(async () =>
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 390)
    );
    assert.deepEqual(await violations(page), []);
    await page.goto(`${fleet.url}/#/worker/${id}`);
    await page.getByRole("heading", { name: id }).waitFor();
    await eventually(async () =>
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 390)
    );
    assert.deepEqual(await violations(page), []);
  }
});

Deno.test("requests that wait are in the verdict and in the table, coloured by their weight, on a phone, too", async () => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  const busy = (id: string, requestsWaiting: number) =>
    playedWorker(id, { numbers: { activeBlocks: 1, totalBlocks: 10, totalSlots: 8, requestsWaiting } });
  fleet.publish([
    busy("7587884888253033398", 0),
    busy("7587884888253033401", 7),
    busy("7587884888253033402", 8),
  ]);
  for (const [scheme, width] of [["light", 1_280], ["dark", 390]] as const) {
    const page = await browser.page(fleet.url, { scheme, width, height: 844 });
    const verdict = page.getByRole("region", { name: "Verdict" });
    await verdict.getByText("Waiting: 15 requests, most at …033402 (8)").waitFor();
    const cells = page.locator(".row .col-waiting span");
    await eventually(async () => {
      assert.equal(await cells.count(), 3);
      assert.deepEqual(
        await Promise.all((await cells.all()).map(async (cell) => [
          await cell.innerText(),
          await cell.getAttribute("class"),
          await cell.isVisible(),
        ])),
        [["0", "waiting-none", true], ["7", "waiting-some", true], ["8", "waiting-many", true]],
      );
    });
    assert.deepEqual(await violations(page), []);
    assert.ok(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"));
    await picture(page, `waiting-${width}`);
  }
});

async function filterOf(page: Page): Promise<unknown> {
  return await page.evaluate("getComputedStyle(document.querySelector('main')).filter");
}

/** The text of what has the focus; that of the body is empty. */
async function focused(page: Page): Promise<unknown> {
  return await page.evaluate(
    "document.activeElement === document.body ? '' : document.activeElement.textContent",
  );
}
