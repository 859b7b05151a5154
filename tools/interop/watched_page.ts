import type { Target } from "../../lib/dynamo/target.ts";
import { PageReader } from "../page_reader.ts";
import { ownProgram, type Program, servedUrl } from "../program.ts";

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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.stop();
  }
}
