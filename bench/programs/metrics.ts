import { ownProgram, type Program, servedUrl } from "../../tools/program.ts";
import { TARGET } from "../fleet/replies.ts";

/** The program as a user runs it, on a free port. */
export interface RunningMetrics extends AsyncDisposable {
  readonly program: Program;
  /** Of its page. */
  readonly url: string;
}

export const TARGET_FLAGS = [
  ...["--namespace", TARGET.namespace, "--component", TARGET.component, "--endpoint", TARGET.endpoint],
  ...["--host", "127.0.0.1"],
];

/** Starts the program of this tree; resolves when its page is served. It polls once a second unless told otherwise. */
export async function startOwn(
  { env, args = [], denoFlags = [] }: {
    readonly env: Readonly<Record<string, string>>;
    readonly args?: readonly string[];
    readonly denoFlags?: readonly string[];
  },
): Promise<RunningMetrics> {
  const program = ownProgram("main.ts", { args: [...TARGET_FLAGS, "--port", "0", ...args], env, denoFlags });
  return await running(program);
}

/** Resolves when the program says where its page is; ends it when it does not. */
export async function running(program: Program): Promise<RunningMetrics> {
  try {
    const url = `${await servedUrl(program)}/metrics`;
    return { program, url, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
  } catch (error) {
    await program.stop();
    throw error;
  }
}

/** Resolves when the page shows the load of so many workers. @throws after a minute */
export async function shows(url: string, workers: number): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (performance.now() < endMs) {
    const page = await (await fetch(url)).text();
    if (page.match(/^llm_requests_active_slots\{/gm)?.length === workers) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not show ${workers} workers within a minute`);
}

/** The value of a series without labels, or of the only one of its name. */
export async function sample(url: string, name: string): Promise<number> {
  const page = await (await fetch(url)).text();
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "m").exec(page)?.[1]);
}
