import type { Target } from "../../lib/dynamo/target.ts";
import { PageReader } from "../page_reader.ts";
import { ownProgram, type Program, servedUrl } from "../program.ts";

/** How old what our page shows may be: workers' pages are asked for every 2 s, and ours is made anew once a second. */
export const PAGE_AGE_MS = 3_500;

/** Our `metrics`, running as a user starts it, and its page. */
export class WatchedPage implements AsyncDisposable {
  readonly #program: Program;
  readonly #url: string;

  private constructor(program: Program, url: string) {
    this.#program = program;
    this.#url = url;
  }

  /** Starts it; resolves when the page is served. */
  static async of(
    target: Target,
    options: { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> },
  ): Promise<WatchedPage> {
    const { namespace, component, endpoint } = target;
    const program = ownProgram("main.ts", {
      args: [
        ...["--namespace", namespace, "--component", component, "--endpoint", endpoint],
        ...["--host", "127.0.0.1", "--port", "0", ...options.args],
      ],
      env: options.env,
    });
    try {
      return new WatchedPage(program, await servedUrl(program));
    } catch (error) {
      await program.stop();
      throw error;
    }
  }

  /** The page of this moment. */
  async read(): Promise<PageReader> {
    return new PageReader(await (await fetch(`${this.#url}/metrics`)).text());
  }

  /** Why `/readyz` is not content, at this moment. */
  async reasons(): Promise<readonly string[]> {
    const { reasons } = await (await fetch(`${this.#url}/readyz`)).json() as { reasons: string[] };
    return reasons;
  }

  /** All that was logged so far. */
  get log(): string {
    return this.#program.log;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.stop();
  }
}
