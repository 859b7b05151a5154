/** TCP ports on 127.0.0.1 that nobody listens on. */

// Below the range from which Linux, macOS and Windows give ports to outgoing connections. A port from inside it
// can be taken by any client while its server is down for a restart; a client that dials the absent server may even
// be connected to itself.
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** Ports given out by this process are not given out twice. */
const given = new Set<number>();

/**
 * `count` different ports, each of which could be listened on a moment ago. Another process may still take one
 * before its server does: try again with other ports then.
 */
export function freePorts(count: number): number[] {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries++) {
    if (tries > 10_000) throw new Error(`Cannot find ${count} free ports in ${FIRST_PORT}..${LAST_PORT}`);
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (given.has(port) || !isFree(port)) continue;
    given.add(port);
    ports.push(port);
  }
  return ports;
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
