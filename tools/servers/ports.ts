/** TCP ports on 127.0.0.1 that nobody listens on. */

// Below the range from which Linux, macOS and Windows give ports to outgoing connections. A port from inside it
// can be taken by any client while its server is down for a restart; a client that dials the absent server may even
// be connected to itself.
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** Whoever holds the lock port of a slice gives out its ports alone: test files run side by side. */
const SLICES = 50;
const SLICE_PORTS = (LAST_PORT - FIRST_PORT) / SLICES;
const FIRST_LOCK_PORT = FIRST_PORT - SLICES;

/** Ports that were given out by this process, and are not given out again while others are left. */
const given = new Set<number>();

const slice = claimSlice();

/**
 * `count` different ports, each of which could be listened on a moment ago. A process that does not ask here may still take
 * one before its server does: try again with other ports then.
 */
export function freePorts(count: number): number[] {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries++) {
    if (tries > 10_000) throw new Error(`Cannot find ${count} free ports from ${slice.from} on`);
    const port = slice.from + Math.floor(Math.random() * slice.count);
    if (given.has(port) || !isFree(port)) continue;
    given.add(port);
    if (given.size > slice.count / 2) given.delete(given.values().next().value!); // The oldest.
    ports.push(port);
  }
  return ports;
}

/** A slice of our own, for as long as this process, or this test file, lives; all ports if every slice is taken. */
function claimSlice(): { readonly from: number; readonly count: number } {
  const first = Math.floor(Math.random() * SLICES);
  for (let n = 0; n < SLICES; n++) {
    const position = (first + n) % SLICES;
    try {
      Deno.listen({ hostname: "127.0.0.1", port: FIRST_LOCK_PORT + position }).unref();
      return { from: FIRST_PORT + position * SLICE_PORTS, count: SLICE_PORTS };
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  return { from: FIRST_PORT, count: LAST_PORT - FIRST_PORT };
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
