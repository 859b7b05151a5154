import { findBinary, libraryEnv } from "../../tools/servers/binaries.ts";
import { recordUse } from "../../tools/servers/used.ts";
import { freePorts } from "../../tools/servers/ports.ts";
import { ownedCommand } from "../../tools/servers/owned.ts";
import { ca, certFile, keyFile } from "./certificates.ts";
import { eventually } from "./eventually.ts";

const GREETING =
  'INFO {"server_id":"x","version":"2.9.10","max_payload":1048576,"proto":1,"tls_required":true} \r\n';

/**
 * A server that greets as NATS does, and whose TLS is OpenSSL's: 1.2, with a client certificate required. No nats-server can be
 * told to leave TLS 1.3 out.
 */
export class Tls12Server implements AsyncDisposable {
  readonly #ends = new AsyncDisposableStack();

  private constructor(readonly port: number) {}

  /** How many connections came. */
  connections = 0;

  static async start(): Promise<Tls12Server> {
    await recordUse("openssl");
    const path = await findBinary("openssl");
    const [behind = 0] = freePorts(1);
    const { command, ...owned } = ownedCommand(path, [
      ...[
        "s_server",
        "-accept",
        `127.0.0.1:${behind}`,
        "-tls1_2",
        "-quiet",
        "-Verify",
        "1",
        "-verify_return_error",
      ],
      ...["-cert", certFile("address"), "-key", keyFile, "-CAfile", ca],
    ]);
    const child = new Deno.Command(command, {
      ...owned,
      env: libraryEnv(path),
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const server = new Tls12Server(listener.addr.port);
    server.#ends.defer(async () => {
      child.kill("SIGKILL");
      await child.stdin.abort().catch(() => {});
      await child.status;
    });
    server.#ends.defer(() => listener.close());
    await eventually(async () => (await Deno.connect({ hostname: "127.0.0.1", port: behind })).close());
    void server.#serve(listener, behind);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ends.disposeAsync();
  }

  async #serve(listener: Deno.TcpListener, port: number): Promise<void> {
    for await (const near of listener) {
      this.connections++;
      this.#pass(near, port).catch(() => {}); // One of the two ended.
    }
  }

  async #pass(near: Deno.TcpConn, port: number): Promise<void> {
    await near.write(new TextEncoder().encode(GREETING));
    const far = await Deno.connect({ hostname: "127.0.0.1", port });
    await Promise.all([near.readable.pipeTo(far.writable), far.readable.pipeTo(near.writable)]);
  }
}
