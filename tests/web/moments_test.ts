import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { Browser } from "../../tools/browser.ts";
import { ownProgram, type Program } from "../../tools/program.ts";
import { Deployment } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";
import { picture, violations } from "../helpers/page_checks.ts";

/** How many Snapshots there have been when the charts have something to show. */
const SEASONED = 40;

Deno.test("the page shows real workers come, fall silent and leave, and NATS go and come back", async (test) => {
  await using deployment = await Deployment.start({ staleAfter: "1", forgetAfter: "60" });
  await using browser = await Browser.open();
  const page = await browser.page(deployment.metrics.url);
  const verdict = page.getByRole("status");
  const changes = page.getByRole("article", { name: "Changes" });

  await test.step("nobody is there", async () => {
    await verdict.getByText("No worker is registered at dynamo/my_component/my_endpoint").waitFor();
    await page.getByText("Check namespace, component and endpoint, and whether workers run.").waitFor();
    assert.deepEqual(await violations(page), []);
  });

  await using _others = mockWorkers(deployment, ["--workers", "11", "--seed", "7"]);
  await using one = mockWorkers(deployment, ["--seed", "8"]);

  await test.step("all are well", async () => {
    await verdict.getByText("All 12 workers are alive").waitFor();
    await eventually(async () => assert.equal(await page.title(), "my_component/my_endpoint · metrics"));
    await seasoned(page);
    await shown(page, "all-well");
  });

  await test.step("one is silent", async () => {
    Deno.kill(one.pid, "SIGSTOP");
    await verdict.getByText("1 of 12 workers is silent").waitFor();
    await listed(changes, "silent", /no sign for \d+ s$/);
    const first = page.locator(".row").first();
    await eventually(async () => assert.equal(await first.locator(".col-state").textContent(), "silent"));
    await eventually(async () =>
      assert.equal(await page.title(), "1 of 12 workers is silent · my_component/my_endpoint · metrics")
    );
    await shown(page, "one-silent");
  });

  await test.step("one is lost, which who looks later can see, too", async () => {
    await one.stop("SIGKILL");
    await verdict.getByText(/^11 alive, 1 lost (?:\d+ s ago|just now)$/).waitFor(); // Its lease lives ten seconds.
    const later = await browser.page(deployment.metrics.url);
    for (const seen of [page, later]) {
      await listed(seen.getByRole("article", { name: "Changes" }), "lost", /silent for \d+ s$/);
      await seen.getByText(/worker_lost …\d{6} was lost\. /).waitFor();
      await eventually(async () =>
        assert.equal(await seen.title(), "11 alive, 1 lost · my_component/my_endpoint · metrics")
      );
    }
    await later.close();
    await eventually(async () => assert.equal(await page.locator(".row").count(), 11));
    await shown(page, "one-lost");
    await page.setViewportSize({ width: 390, height: 844 });
    await shown(page, "one-lost-390");
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  await test.step("another one takes its place, and leaves", async () => {
    await using another = mockWorkers(deployment, ["--seed", "9"]);
    await verdict.getByText("All 12 workers are alive").waitFor();
    await listed(changes, "new", /registered$|first heard$/);
    assert.equal(await page.getByText("worker_lost").count(), 0);
    await another.stop();
    await listed(changes, "left", /while it answered$/);
    await verdict.getByText("All 11 workers are alive").waitFor();
    await shown(page, "one-left");
  });

  await test.step("NATS is away, and back", async () => {
    await deployment.nats.stop();
    await verdict.getByText("NATS is not connected").waitFor();
    await page.getByRole("list", { name: "Connections" }).getByText("away").waitFor();
    await shown(page, "nats-away");
    await deployment.nats.start();
    await verdict.getByText("All 11 workers are alive").waitFor();
  });

  assert.deepEqual(browser.faults, []);
});

/** Waits until a change is listed, however many others came after it. */
async function listed(changes: Locator, word: string, reason: RegExp): Promise<void> {
  const item = changes.getByRole("listitem", { includeHidden: true }).filter({
    has: changes.page().getByText(word, { exact: true }),
    hasText: reason,
  });
  await item.first().waitFor({ state: "attached" });
}

/** In both themes: axe-core finds nothing, and a picture is made. */
async function shown(page: Page, moment: string): Promise<void> {
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    assert.deepEqual(await violations(page), []);
    await picture(page, `${moment}-${scheme}`);
  }
}

async function seasoned(page: Page): Promise<void> {
  await eventually(async () => {
    const text = await page.getByText(/^Snapshot \d+$/).textContent();
    assert.ok(Number(text!.slice("Snapshot ".length)) >= SEASONED);
  }, { timeoutMs: 30_000 });
}

function mockWorkers({ nats, etcd }: Deployment, args: readonly string[]): Program {
  return ownProgram("mock_worker.ts", { args, env: { NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url } });
}
