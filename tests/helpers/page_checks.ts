import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";

/** What axe-core finds against WCAG 2 A and AA: rule, and where. */
export async function violations(page: Page): Promise<string[]> {
  const source = fileURLToPath(import.meta.resolve("axe-core/axe.min.js"));
  await page.evaluate(await readFile(source, "utf8"));
  const found = await page.evaluate(`axe.run({
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
  })`) as { violations: { id: string; nodes: { target: string[] }[] }[] };
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`));
}

/** Where pictures of the page go: `SCREENSHOTS_DIR`, else `dist/screenshots`. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = Deno.env.get("SCREENSHOTS_DIR") ||
    fileURLToPath(new URL("../../dist/screenshots", import.meta.url));
  await Deno.mkdir(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png` });
}
