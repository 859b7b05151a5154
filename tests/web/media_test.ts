import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { Browser } from "../../tools/browser.ts";
import { eventually } from "../helpers/eventually.ts";
import { picture, violations } from "../helpers/page_checks.ts";
import { PlayedFleet, playedWorker } from "../helpers/played_fleet.ts";

Deno.test("in forced colours bars, charts and what is pressed are told from their ground", async () => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  fleet.remember((moment) => workers(12, moment));
  fleet.publish(workers(12, 90));
  for (const scheme of ["light", "dark"] as const) {
    const page = await browser.page(fleet.url, { scheme, width: 1_280 });
    await page.emulateMedia({ colorScheme: scheme, forcedColors: "active" });
    await page.locator(".row").first().waitFor();
    await page.getByRole("button", { name: /^responding/ }).click();
    const [canvas, highlight] = await Promise.all(["Canvas", "Highlight"].map((name) => colorOf(page, name)));
    assert.notEqual(canvas, highlight);
    assert.equal(await styleOf(page, ".row .fill", "backgroundColor"), highlight);
    assert.equal(await styleOf(page, ".row .track", "borderTopWidth"), "1px");
    assert.notEqual(await styleOf(page, ".row .track", "borderTopColor"), canvas);
    assert.equal(await styleOf(page, ".chip[aria-pressed=true]", "backgroundColor"), highlight);
    await eventually(async () =>
      assert.ok(await pixelsOf(page, highlight!) > 200, "the chart's line has another colour")
    );
    assert.deepEqual(await violations(page), []);
    await picture(page, `forced-colors-${scheme}`);
    await page.goto(`${fleet.url}/#/worker/1003`);
    await page.getByRole("heading", { name: "1003" }).waitFor();
    assert.equal(await styleOf(page, ".figure .fill", "backgroundColor"), highlight);
    await picture(page, `forced-colors-worker-${scheme}`);
  }
});

Deno.test("on paper stand the first hundred rows and how many more there are, on few pages; then all is as before", async () => {
  await using fleet = new PlayedFleet();
  await using browser = await Browser.open();
  fleet.remember((moment) => workers(12, moment));
  fleet.publish(workers(2_000, 90));
  const page = await browser.page(fleet.url, { scheme: "dark" });
  await page.getByRole("heading", { name: "2,000 workers" }).waitFor();
  await page.evaluate("scrollTo(0, 20_000)");
  await eventually(async () =>
    assert.ok(Number(await page.locator(".row").first().getAttribute("aria-rowindex")) > 100)
  );
  await page.evaluate(`addEventListener("beforeprint", () => {
    globalThis.printed = {
      rows: [...document.querySelectorAll(".row")].map((row) => row.getAttribute("aria-rowindex")),
      gaps: document.querySelectorAll(".gap").length,
      more: document.querySelector(".more")?.textContent ?? null,
    };
  })`);
  const pages = pagesOf(await page.pdf({ format: "A4", printBackground: true }));
  assert.deepEqual(await page.evaluate("printed"), {
    rows: Array.from({ length: 100 }, (_, n) => String(n + 2)),
    gaps: 0,
    more: "… and 1,900 more",
  });
  assert.ok(pages >= 3 && pages <= 6, `${pages} pages`);
  await eventually(async () => {
    assert.ok(await page.locator(".gap").count() > 0);
    assert.ok(Number(await page.locator(".row").first().getAttribute("aria-rowindex")) > 100);
  });

  await page.getByRole("searchbox").fill("1003");
  await page.getByRole("heading", { name: "1 of 2,000 workers" }).waitFor();
  assert.ok(pagesOf(await page.pdf({ format: "A4" })) <= 2);
  assert.deepEqual(await page.evaluate("printed"), { rows: ["2"], gaps: 0, more: null });

  await page.getByRole("searchbox").fill("");
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await page.getByText("… and 1,900 more").waitFor();
  assert.equal(await styleOf(page, "body", "backgroundColor"), "rgb(255, 255, 255)");
  await picture(page, "print");
});

function workers(count: number, moment: number) {
  return Array.from({ length: count }, (_, n) =>
    playedWorker(String(1_000 + n), {
      card: { worker: "1", ranks: 1, model: "llama" } as never,
      numbers: {
        activeBlocks: Math.round((n * 67) % 100 * (0.7 + 0.3 * Math.sin(moment / 6))),
        totalBlocks: 100,
        activeSlots: n % 9,
        totalSlots: 8,
        requestsWaiting: n % 5,
      },
      ...(n === 3 ? { state: "silent" as const } : {}),
    }));
}

/** A system's colour as the page's style says it. */
async function colorOf(page: Page, name: string): Promise<string> {
  return await page.evaluate(`(() => {
    const probe = document.body.appendChild(document.createElement("p"));
    probe.style.cssText = "forced-color-adjust: none; color: ${name}";
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  })()`);
}

async function styleOf(page: Page, selector: string, name: string): Promise<unknown> {
  return await page.evaluate(
    `getComputedStyle(document.querySelector(${JSON.stringify(selector)}))[${JSON.stringify(name)}]`,
  );
}

/** How many pixels of the charts have the colour, or nearly. */
async function pixelsOf(page: Page, color: string): Promise<number> {
  const wanted = color.match(/[\d.]+/g)!.slice(0, 3).map(Number);
  return await page.evaluate(`[...document.querySelectorAll(".uplot canvas")].reduce((sum, canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let n = 0; n < data.length; n += 4) {
      const isNear = ${JSON.stringify(wanted)}.every((part, m) => Math.abs(part - data[n + m]) < 12);
      if (isNear && data[n + 3] > 120) sum++;
    }
    return sum;
  }, 0)`);
}

function pagesOf(pdf: Uint8Array): number {
  const text = new TextDecoder("latin1").decode(pdf);
  return [...text.matchAll(/\/Type\s*\/Page\b/g)].length;
}
