/** The arguments of a task. `--` before them is left out: npm users write `task demo -- --for 10`. */
export const taskArgs: readonly string[] = Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args;
