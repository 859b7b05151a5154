/** A real etcd of one member. */
import { join } from "node:path";
import { findBinary } from "./binaries.ts";
import { answersOk, type ServerOptions, ServerProcess, started } from "./process.ts";

export interface EtcdOptions extends ServerOptions {
  /** Files in the server's folder, relative path → text, for `tls` and `args` to name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Clients must use TLS, and with `trustedCaFile` show a certificate of that CA. Paths as in `files`, or absolute. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly trustedCaFile?: string };
  /** Added to the arguments. */
  readonly args?: readonly string[];
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
    const { tls, args } = this.#options;
    const peerUrl = `http://127.0.0.1:${this.portAt(1)}`;
    return [
      ...["--name", "single", "--data-dir", this.#dataDir, "--logger", "zap", "--log-level", "error"],
      ...["--listen-client-urls", this.url, "--advertise-client-urls", this.url],
      ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl],
      ...["--initial-cluster", `single=${peerUrl}`, "--listen-metrics-urls", this.monitorUrl],
      // Alone it elects itself after one election timeout: a fifth of the default makes starts that much faster.
      ...["--heartbeat-interval", "20", "--election-timeout", "200"],
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

  protected override isReady(signal: AbortSignal): Promise<boolean> {
    return answersOk(`${this.monitorUrl}/health`, signal);
  }
}

/** Starts an empty etcd on free ports of 127.0.0.1; resolves when it is healthy, that is, leads itself. */
export function startEtcd(options: EtcdOptions = {}): Promise<EtcdServer> {
  return started(new EtcdServer(options));
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
