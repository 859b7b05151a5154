/** A real etcd of one member, or of several. */
import { join } from "node:path";
import { findBinary } from "./binaries.ts";
import { freePorts } from "./ports.ts";
import { answersOk, type ServerOptions, ServerProcess, started } from "./process.ts";

export interface EtcdOptions extends ServerOptions {
  /** Files in the server's folder, relative path → text, for `tls` and `args` to name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Clients must use TLS, and with `trustedCaFile` show a certificate of that CA. Paths as in `files`, or absolute. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly trustedCaFile?: string };
  /** Added to the arguments. */
  readonly args?: readonly string[];
  /** It is one of several. */
  readonly member?: EtcdMember;
}

/** A member of a cluster whose ports are known beforehand. */
export interface EtcdMember {
  readonly name: string;
  /** For clients, for the other members, and for `/health`. */
  readonly ports: readonly [number, number, number];
  /** All members: name → port for the others. */
  readonly peers: Readonly<Record<string, number>>;
  /** Its peers are never started, so that it has no leader: it counts as started when it answers at all. */
  readonly alone?: true;
}

/** See `startEtcd`. */
export class EtcdServer extends ServerProcess {
  protected override readonly portCount = 3;
  readonly #options: EtcdOptions;

  constructor(options: EtcdOptions) {
    super("etcd", options);
    this.#options = options;
    this.writeFiles(options.files ?? {});
  }

  /** Client port. */
  get port(): number {
    return this.portAt(0);
  }

  /** For clients: `http://127.0.0.1:PORT`, or `https:` with `tls`. */
  get url(): string {
    return `${this.#options.tls === undefined ? "http" : "https"}://127.0.0.1:${this.port}`;
  }

  /** Plain HTTP for `/health` and `/metrics`, with or without `tls`. */
  get monitorUrl(): string {
    return `http://127.0.0.1:${this.portAt(2)}`;
  }

  /** Stops it, deletes its data and starts it again on the same ports: an etcd that lost everything. */
  async wipe(): Promise<void> {
    await this.stop();
    await Deno.remove(this.#dataDir, { recursive: true });
    await this.start();
  }

  get #dataDir(): string {
    return join(this.dir, "data");
  }

  protected override async args(): Promise<readonly string[]> {
    const { tls, args, member } = this.#options;
    const peerUrl = `http://127.0.0.1:${this.portAt(1)}`;
    const name = member?.name ?? "single";
    const peers = Object.entries(member?.peers ?? { [name]: this.portAt(1) });
    return [
      ...["--name", name, "--data-dir", this.#dataDir, "--logger", "zap", "--log-level", "error"],
      ...["--listen-client-urls", this.url, "--advertise-client-urls", this.url],
      ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl],
      ...["--initial-cluster", peers.map(([peer, port]) => `${peer}=http://127.0.0.1:${port}`).join(",")],
      ...["--listen-metrics-urls", this.monitorUrl],
      // Alone it elects itself after one election timeout: a fifth of the default makes starts that much faster.
      ...(member === undefined ? ["--heartbeat-interval", "20", "--election-timeout", "200"] : []),
      ...(await knowsNoFsync() ? ["--unsafe-no-fsync"] : []),
      ...(tls === undefined ? [] : ["--cert-file", tls.certFile, "--key-file", tls.keyFile]),
      ...(tls?.trustedCaFile === undefined
        ? []
        : ["--client-cert-auth", "--trusted-ca-file", tls.trustedCaFile]),
      ...(args ?? []),
    ];
  }

  /** Releases before 3.5 start on ARM only when told that this is meant. */
  protected override env(): Readonly<Record<string, string>> {
    return Deno.build.arch === "aarch64" ? { ETCD_UNSUPPORTED_ARCH: "arm64" } : {};
  }

  protected override wishedPorts(): readonly number[] {
    return this.#options.member?.ports ?? [];
  }

  protected override async isReady(signal: AbortSignal): Promise<boolean> {
    const isHealthy = await answersOk(`${this.monitorUrl}/health`, signal);
    return isHealthy || this.#options.member?.alone === true;
  }
}

/** Starts an empty etcd on free ports of 127.0.0.1; resolves when it is healthy, that is, leads itself. */
export function startEtcd(options: EtcdOptions = {}): Promise<EtcdServer> {
  return started(new EtcdServer(options));
}

/** Starts an empty cluster of three members; resolves when all are healthy, that is, have a leader. */
export async function startEtcdCluster(
  options: Omit<EtcdOptions, "member"> = {},
): Promise<AsyncDisposable & { readonly members: readonly EtcdServer[] }> {
  await using starting = new AsyncDisposableStack();
  const members = memberOptions().map((member) => starting.use(new EtcdServer({ ...options, member })));
  await Promise.all(members.map((member) => member.start()));
  const ends = starting.move();
  return { members, [Symbol.asyncDispose]: () => ends.disposeAsync() };
}

/** Starts one of three members whose peers never start: it listens, and has no leader. */
export function startEtcdWithoutLeader(): Promise<EtcdServer> {
  const [member] = memberOptions();
  return started(new EtcdServer({ member: { ...member!, alone: true } }));
}

/** Three members on free ports. */
function memberOptions(): EtcdMember[] {
  const ports = [1, 2, 3].map(() => freePorts(3) as [number, number, number]);
  const peers = Object.fromEntries(ports.map(([, peer], n) => [`m${n + 1}`, peer]));
  return ports.map((own, n) => ({ name: `m${n + 1}`, ports: own, peers }));
}

/** Whether this member leads its cluster. */
export async function leads(member: EtcdServer): Promise<boolean> {
  const response = await fetch(`${member.monitorUrl}/metrics`);
  return /^etcd_server_is_leader 1$/m.test(await response.text());
}

let noFsync: Promise<boolean> | undefined;

/** Whether this etcd has the flag that spares a test the waiting for the disk (from 3.5 on). */
function knowsNoFsync(): Promise<boolean> {
  noFsync ??= (async () => {
    const help = await new Deno.Command(await findBinary("etcd"), {
      args: ["--help"],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    return (decoder.decode(help.stdout) + decoder.decode(help.stderr)).includes("--unsafe-no-fsync");
  })();
  return noFsync;
}
