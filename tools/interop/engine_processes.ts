/** A process of this machine (Linux). */
export interface Process {
  readonly pid: number;
  /** Its command line, which vLLM replaces by a title. */
  readonly title: string;
}

/** All that descend from a process, itself not among them. */
export async function descendantsOf(pid: number): Promise<Process[]> {
  const children = new Map<number, number[]>();
  for await (const { name } of Deno.readDir("/proc")) {
    const parent = /^\d+$/.test(name) ? await parentOf(name) : undefined;
    if (parent !== undefined) children.set(parent, [...children.get(parent) ?? [], Number(name)]);
  }
  const found: number[] = [];
  for (let next = [pid]; next.length > 0;) {
    next = next.flatMap((each) => children.get(each) ?? []);
    found.push(...next);
  }
  return await Promise.all(found.map(async (pid) => ({ pid, title: await titleOf(pid) })));
}

/** Sends the signal to those of the processes that still run. */
export function signalAll(processes: readonly Process[], signal: Deno.Signal): void {
  for (const { pid } of processes) {
    try {
      Deno.kill(pid, signal);
    } catch {
      // It ended meanwhile.
    }
  }
}

/**
 * Ends a program's whole process group if we are killed ourselves: until then a shell waits at a pipe which closes when we
 * are gone. Disposal sends the shell home.
 */
export function guardGroup(pid: number): AsyncDisposable {
  const group = `-- -${pid}`;
  const shell = new Deno.Command("sh", {
    args: ["-c", `read _; kill -s KILL ${group}`],
    ...{ stdin: "piped", stdout: "null", stderr: "null", detached: true },
  }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      shell.kill("SIGKILL");
      await shell.status;
      await shell.stdin.close().catch(() => {}); // It was at the other end.
    },
  };
}

/** Undefined when the process has ended. */
async function parentOf(pid: string): Promise<number | undefined> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "");
  const [, parent] = /^.*\) \S (\d+) /s.exec(stat) ?? []; // The name in brackets may have brackets itself.
  return parent === undefined ? undefined : Number(parent);
}

async function titleOf(pid: number): Promise<string> {
  const line = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
  return line.split("\0").join(" ").trim();
}
