import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Browser as Chromium, chromium, type Page } from "playwright-core";
import { findBinary, libraryEnv } from "../../tools/servers/binaries.ts";
import { recordUse } from "../../tools/servers/used.ts";

export interface PageOptions {
  readonly scheme?: "dark" | "light";
  readonly width?: number;
  readonly height?: number;
}

/** A real Chromium without a window. What pages do that they should not is gathered. */
export class Browser implements AsyncDisposable {
  /** Exceptions that nobody caught, and what the content security policy refused. */
  readonly faults: string[] = [];

  private constructor(private readonly chromium: Chromium) {}

  static async open(): Promise<Browser> {
    const executablePath = await findBinary("chromium");
    await recordUse("chromium");
    return new Browser(
      await chromium.launch({
        executablePath,
        env: { ...Deno.env.toObject(), ...libraryEnv(executablePath) },
      }),
    );
  }

  /** Opens an address in a tab of its own, 1440 × 900 unless told otherwise. */
  async page(
    url: string,
    { scheme = "light", width = 1_440, height = 900 }: PageOptions = {},
  ): Promise<Page> {
    const page = await this.chromium.newPage({ colorScheme: scheme, viewport: { width, height } });
    page.on("pageerror", (error) => this.faults.push(error.message));
    page.on("console", (message) => {
      if (/Content Security Policy/i.test(message.text())) this.faults.push(message.text());
    });
    await page.goto(url);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.chromium.close();
  }
}

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
