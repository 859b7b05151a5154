/**
 * npm:nats takes its listeners off a socket before it destroys it, so that a reset which is under way then (a refused
 * login, a killed server) is an error that nobody hears, and would end the process. The connection's end is known
 * otherwise; these are let go.
 */
export function ignoreStraySocketErrors(): void {
  if (ignoring) return;
  ignoring = true;
  globalThis.addEventListener("error", (event) => {
    const { code, syscall } = (event.error ?? {}) as { code?: unknown; syscall?: unknown };
    const isStray = (code === "ECONNRESET" || code === "EPIPE") &&
      (syscall === "read" || syscall === "write");
    if (isStray) event.preventDefault();
  });
}

let ignoring = false;
