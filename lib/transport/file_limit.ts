/** How many files this process may have open, connections too, as Linux says it; undefined elsewhere, and without a limit. */
export function fileLimit(): number | undefined {
  try {
    const [, limit] = /^Max open files +(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits")) ?? [];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    return undefined;
  }
}
