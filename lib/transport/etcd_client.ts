import type { Etcd3, IOptions } from "etcd3";
import { EtcdRelay } from "./etcd_relay.ts";

export interface EtcdOptions {
  /** URLs or `host:port`, several members of one cluster. */
  readonly endpoints: readonly string[];
  readonly auth?: { readonly username: string; readonly password: string };
  readonly signal: AbortSignal;
  /** The longest time one call may take. */
  readonly callMs?: number;
  /** From the loss of etcd to the next try, and between tries. */
  readonly retryMs?: number;
  /** How long nothing is done at first. */
  readonly beginAfterMs?: number;
}

/** One client; its connections end with it. */
export interface EtcdClient extends Disposable {
  readonly etcd: Etcd3;
  /** What an error of one of its calls means, in a line. */
  cause(error: unknown): string;
}

/** Opens a client for these options; the library is loaded only now, since it alone doubles the time to start. */
export async function openEtcd(
  options: Pick<EtcdOptions, "endpoints" | "auth" | "callMs">,
): Promise<EtcdClient> {
  const { Etcd3 } = await import("etcd3");
  using opening = new DisposableStack();
  const relays = options.endpoints.map((endpoint) =>
    opening.use(new EtcdRelay(endpoint, { connectMs: options.callMs ?? 2_000 }))
  );
  const settings: IOptions = {
    grpcOptions: { "grpc.max_receive_message_length": MAX_MESSAGE_BYTES },
    hosts: relays.map((relay) => relay.address),
    ...(options.auth && { auth: options.auth }),
  };
  const etcd = opening.adopt(new Etcd3(settings), (client) => client.close());
  const opened = opening.move();
  return {
    etcd,
    cause: (error) => relays.every((relay) => relay.failure) ? relays[0]!.failure! : causeText(error),
    [Symbol.dispose]: () => opened.dispose(),
  };
}

/** gRPC takes 4 MB where nothing is said, less than the keys of a large fleet. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** gRPC names a lost server in many words: the first line, without its empty note. */
export function causeText(error: unknown): string {
  return error instanceof Error
    ? error.message.split("\n")[0]!.replace(/\. Resolution note: $/, "")
    : String(error);
}
