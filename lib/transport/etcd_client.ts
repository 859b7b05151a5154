import type { Etcd3 } from "etcd3";
import { errorText } from "./error_text.ts";
import { carriedHost } from "./etcd_inner.ts";

export interface EtcdOptions {
  /** URLs or `host:port`, several members of one cluster. */
  readonly endpoints: readonly string[];
  readonly auth?: { readonly username: string; readonly password: string };
  readonly signal: AbortSignal;
  /** The longest time one call may take. */
  readonly callMs?: number;
  /** From the loss of etcd to the next try, and between tries. */
  readonly retryMs?: number;
  /** How often the members that are not in use are asked how they are. */
  readonly probeMs?: number;
}

/** One client of one member; its connections end with it. */
export interface EtcdClient extends Disposable {
  readonly etcd: Etcd3;
  /** What an error of one of its calls means, in a line. */
  cause(error: unknown): string;
}

/** Opens a client of one endpoint; the library is loaded only now, since it alone doubles the time to start. */
export async function openEtcd(
  endpoint: string,
  { auth, callMs = CALL_MS }: Pick<EtcdOptions, "auth" | "callMs"> = {},
): Promise<EtcdClient> {
  await (loadable ??= new Promise((resolve) => setTimeout(resolve, LOAD_AFTER_MS)));
  const [{ Etcd3 }, { EtcdCarriers }] = await Promise.all([import("etcd3"), import("./etcd_carrier.ts")]);
  using opening = new DisposableStack();
  const carriers = opening.use(new EtcdCarriers(endpoint, { connectMs: callMs }));
  const { host } = opening.use(await carriedHost(() => carriers.open()));
  const etcd = opening.adopt(
    new Etcd3({
      grpcOptions: { "grpc.max_receive_message_length": MAX_MESSAGE_BYTES },
      hosts: host,
      ...(auth && { auth }),
    }),
    (client) => client.close(),
  );
  const opened = opening.move();
  return {
    etcd,
    cause: (error) => carriers.failure ?? causeText(error),
    [Symbol.dispose]: () => opened.dispose(),
  };
}

/** Who waits for the program to start gets the first page in this time: loading the library holds all else up. */
const LOAD_AFTER_MS = 100;
let loadable: Promise<void> | undefined;

/** The longest time one call may take if nothing else is said. */
export const CALL_MS = 2_000;

/** gRPC takes 4 MB where nothing is said, less than the keys of a large fleet. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** gRPC names a lost server in many words: the first line, without its empty note. */
export function causeText(error: unknown): string {
  return errorText(error).split("\n")[0]!.replace(/\. Resolution note: $/, "");
}
