import type { Duplex } from "node:stream";

/** What gRPC connects to: the path of a `unix:` target. See build/src/{resolver-uds,subchannel-address} of @grpc/grpc-js. */
interface Address {
  readonly path?: string;
}

/** A name that npm:etcd3 takes for a host. It ends with its disposal. */
export interface CarriedHost extends Disposable {
  readonly host: string;
}

type Open = () => Promise<Duplex>;

const opens = new Map<string, Open>();
let hosts = 0;
let isTaught = false;

/**
 * Makes up a host whose connections are those that `open` gives: gRPC opens none itself. The name looks like a Unix
 * socket (none is made), so gRPC asks no DNS for it, and no proxy variable counts.
 *
 * @throws when @grpc/grpc-js is another one inside than it was in 1.14
 */
export async function carriedHost(open: Open): Promise<CarriedHost> {
  await teach();
  const path = `etcd/${++hosts}`; // A new one each time: gRPC shares the connections of equal names.
  opens.set(path, open);
  return { host: `unix:${path}`, [Symbol.dispose]: () => void opens.delete(path) };
}

/** Has gRPC's connector ask us for connections. npm:etcd3 is its only user here. */
async function teach(): Promise<void> {
  if (isTaught) return;
  const { Http2SubchannelConnector: { prototype } } = await import("@grpc/grpc-js/build/src/transport.js");
  if (!("tcpConnect" in prototype)) {
    throw new Error("@grpc/grpc-js has changed inside: see transport/etcd_inner.ts");
  }
  (prototype as unknown as { tcpConnect(address: Address): Promise<Duplex> }).tcpConnect = ({ path }) => {
    const open = opens.get(path ?? "");
    return open === undefined ? Promise.reject(new Error("the client is closed")) : open();
  };
  isTaught = true;
}
