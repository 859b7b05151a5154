interface CommandOptions {
  /** Beside our own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a command to its end and gives what it printed.
 *
 * @throws an Error of one line when it cannot be run or fails: the last line of its errors
 */
export async function outputOf(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { success, stdout, stderr } = await spawn(command, args, options);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (success) return text(stdout);
  const reason = text(stderr).trim().split("\n").at(-1);
  throw new Error(`${[command, ...args.slice(0, 3)].join(" ")} failed: ${reason}`);
}

async function spawn(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<Deno.CommandOutput> {
  try {
    return await new Deno.Command(command, { ...options, args: [...args], stdin: "null" }).output();
  } catch (error) {
    throw new Error(`Cannot run ${command}: ${(error as Error).message}`, { cause: error });
  }
}
