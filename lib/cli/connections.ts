import type { EtcdOptions } from "../transport/etcd_client.ts";
import type { NatsAuth } from "../transport/nats_auth.ts";
import {
  ETCD_USERNAME,
  NATS_CREDENTIALS,
  NATS_USERNAME,
  readEtcdCredentials,
  readNatsCredentials,
  type UnusedVariable,
} from "./credentials.ts";
import type { Flag, GivenFlags, Invocation, ReadValue } from "./usage.ts";

/** Where the servers are and how we show who we are; without `etcd` it is not used. */
export interface Connections {
  readonly nats: { readonly servers: readonly string[]; readonly auth: NatsAuth };
  readonly etcd?: Pick<EtcdOptions, "endpoints" | "auth">;
  /** To be warned of, where that server is used. */
  readonly unused: readonly UnusedVariable[];
}

const NATS_SERVER: Flag = {
  name: "--nats-server",
  value: "URLS",
  rule: "nats://HOST[:PORT] or tls://HOST[:PORT], several separated by commas",
  help: "Where NATS is, several addresses separated by commas",
  defaultText: "nats://localhost:4222",
  env: "NATS_SERVER",
  login: "NATS_AUTH_USERNAME and NATS_AUTH_PASSWORD",
};

const ETCD_ENDPOINTS: Flag = {
  name: "--etcd-endpoints",
  value: "URLS",
  rule: "http://HOST:PORT, https://HOST:PORT or HOST:PORT, several separated by commas",
  help: "Where etcd is, several addresses separated by commas",
  defaultText: "http://localhost:2379",
  env: "ETCD_ENDPOINTS",
  login: "ETCD_AUTH_USERNAME and ETCD_AUTH_PASSWORD",
};

const NO_ETCD: Flag = { name: "--no-etcd", help: "Run on NATS alone" };

export const CONNECTION_FLAGS: readonly Flag[] = [
  NATS_SERVER,
  NATS_USERNAME,
  NATS_CREDENTIALS,
  ETCD_ENDPOINTS,
  ETCD_USERNAME,
  NO_ETCD,
];

/** @throws {UsageError} */
export function readConnections(flags: GivenFlags, env: Invocation["env"]): Connections {
  const servers = flags.value(NATS_SERVER, addresses(["nats", "tls"])) ?? [NATS_SERVER.defaultText!];
  const natsCredentials = readNatsCredentials(flags, env);
  const nats = { servers, auth: natsCredentials.auth };
  const ofNats = [...natsCredentials.unused, ...unreadVariables("NATS", env)];
  if (flags.has(NO_ETCD)) return { nats, unused: ofNats };
  const endpoints = flags.value(ETCD_ENDPOINTS, addresses(["http", "https", ""])) ??
    [ETCD_ENDPOINTS.defaultText!];
  const { auth, unused: ofEtcd } = readEtcdCredentials(flags, env);
  return {
    nats,
    etcd: { endpoints, ...(auth && { auth }) },
    unused: [...ofNats, ...ofEtcd, ...unreadVariables("etcd", env)],
  };
}

/** What Dynamo's workers read of the environment, and we do not. */
function unreadVariables(server: "NATS" | "etcd", env: Invocation["env"]): UnusedVariable[] {
  const pattern = server === "NATS" ? /^NATS_TLS_/ : /^ETCD_AUTH_(?:CA|CLIENT_CERT|CLIENT_KEY)$/;
  const why = (variable: string) =>
    /INSECURE|SKIP/.test(variable)
      ? "certificates are always checked; DENO_CERT names a file of authorities"
      : /CLIENT|KEY/.test(variable)
      ? "client certificates cannot be given; DENO_CERT names a file of authorities"
      : "DENO_CERT names a file of authorities";
  return Object.keys(env).filter((variable) => pattern.test(variable) && env[variable]).toSorted()
    .map((variable) => ({ server, variable, why: why(variable) }));
}

/** Reads addresses with one of the schemes, `""` for none. Passwords do not belong into addresses: they are logged. */
function addresses(schemes: readonly string[]): ReadValue<readonly string[]> {
  return (text) => {
    const list = text.split(",").map((part) => part.trim());
    const areGood = list.every((address) => {
      const parts = /^(?:([a-z]+):\/\/)?((?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::(\d{1,5}))?)\/?$/.exec(address);
      return parts !== null && schemes.includes(parts[1] ?? "") && Number(parts[3] ?? 1) > 0 &&
        URL.canParse(`http://${parts[2]}`);
    });
    return areGood ? list : undefined;
  };
}
