import { type Browser as Chromium, chromium, type Page } from "playwright-core";
import { findBinary, libraryEnv } from "./servers/binaries.ts";
import { recordUse } from "./servers/used.ts";

export interface PageOptions {
  readonly scheme?: "dark" | "light";
  readonly width?: number;
  readonly height?: number;
  /** Opens the tab beside this page, as a person does: tabs of one browser share connections and workers. */
  readonly beside?: Page;
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
    { scheme = "light", width = 1_440, height = 900, beside }: PageOptions = {},
  ): Promise<Page> {
    const context = beside?.context() ??
      await this.chromium.newContext({ colorScheme: scheme, viewport: { width, height } });
    const page = await context.newPage();
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
