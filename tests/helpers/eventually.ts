const PAUSE_MS = 20;

/**
 * Calls `fn` until it neither throws nor rejects, 20 ms apart, and returns what it returned. When that has not
 * happened after `timeoutMs`, throws what the last call threw.
 */
export async function eventually<T>(
  fn: () => T | Promise<T>,
  options: { readonly timeoutMs?: number } = {},
): Promise<T> {
  const deadline = performance.now() + (options.timeoutMs ?? 10_000);
  for (;;) {
    try {
      return await fn();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/**
 * Calls `fn` again and again for `forMs` milliseconds, 20 ms apart. Throws what it throws: what it says is to be true
 * all the time.
 */
export async function steadily(
  fn: () => void | Promise<void>,
  { forMs }: { readonly forMs: number },
): Promise<void> {
  const deadline = performance.now() + forMs;
  while (performance.now() < deadline) {
    await fn();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
