import { findOnPath } from "./binaries.ts";

// Where the system can do it, a child does not outlive a parent that dies without ending it.
const SETPRIV = Deno.build.os === "linux" ? await findOnPath("setpriv") : undefined;

/**
 * How to spawn a program that ends with its owner, killed or not. It is out of the owner's process group, for Ctrl-C in
 * a terminal is for the owner, who ends things in order.
 */
export function ownedCommand(
  command: string,
  args: readonly string[],
): { readonly command: string; readonly args: string[]; readonly detached: boolean } {
  if (SETPRIV === undefined) return { command, args: [...args], detached: Deno.build.os !== "windows" };
  return { command: SETPRIV, args: ["--pdeathsig", "KILL", "--", command, ...args], detached: true };
}
