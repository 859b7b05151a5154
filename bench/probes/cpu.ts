/** Linux counts CPU time in hundredths of a second, whatever the kernel's own tick. */
const TICK_MS = 10;

/** CPU time that a process and the threads it had have used since its start, in milliseconds. */
export function cpuMs(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Memory of a process that is in RAM, in MiB. */
export function residentMib(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
  return Number(kib) / 1_024;
}

/** Which part of a core each of some processes takes, from its making on. */
export class CpuShares {
  readonly #startMs = performance.now();
  readonly #before: Readonly<Record<string, number>>;

  constructor(private readonly pids: Readonly<Record<string, number>>) {
    this.#before = this.#read();
  }

  /** In percent of a core, by name, until now. */
  percent(): Record<string, number> {
    const wallMs = performance.now() - this.#startMs;
    const shares = Object.entries(this.#read()).map(([name, ms]) =>
      [name, 100 * (ms - this.#before[name]!) / wallMs] as const
    );
    return Object.fromEntries(shares);
  }

  #read(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.pids).map(([name, pid]) => [name, cpuMs(pid)]));
  }
}
