/**
 * Lets go of errors of sockets that nobody hears, which would end the process: Node's sockets, which libraries use, say an
 * error as an event, and libraries take their listeners off before the last one. That the connection ended is known otherwise.
 */
export function ignoreStraySocketErrors(): void {
  if (ignoring) return;
  ignoring = true;
  globalThis.addEventListener("error", (event) => {
    if (isOfSocket(event.error)) event.preventDefault();
  });
}

let ignoring = false;

/** An error of a system call on a socket has the call's name; one of TLS has words of its own (Deno 2.9.6). */
function isOfSocket(error: unknown): boolean {
  const { code, syscall, message } = (error ?? {}) as Record<"code" | "syscall" | "message", unknown>;
  const isOfCall = typeof code === "string" &&
    /^(?:read|write|connect|shutdown|getaddrinfo)$/.test(String(syscall));
  return isOfCall ||
    /^received (?:fatal alert|corrupt message)|^invalid peer certificate|close_notify|^tls handshake eof/
      .test(String(message));
}
