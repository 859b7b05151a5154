import type { EtcdOptions } from "../transport/etcd_client.ts";
import { type NatsAuth, natsAuthProblem } from "../transport/nats_auth.ts";
import { readRegularFileSync } from "../transport/regular_file.ts";
import { type Flag, type GivenFlags, type Invocation, type ReadValue, UsageError } from "./usage.ts";

/** Where the servers are and how we show who we are; without `etcd` it is not used. */
export interface Connections {
  readonly nats: { readonly servers: readonly string[]; readonly auth: NatsAuth };
  readonly etcd?: Pick<EtcdOptions, "endpoints" | "auth">;
}

const FILE_RULE = "a regular file that can be read";
const MAX_FILE_BYTES = 1_048_576;

const NATS_SERVER: Flag = {
  name: "--nats-server",
  value: "URLS",
  rule: "nats://HOST[:PORT] or tls://HOST[:PORT], several separated by commas",
  help: "Where NATS is, several addresses separated by commas",
  defaultText: "nats://localhost:4222",
  env: "NATS_SERVER",
  login: "NATS_AUTH_USERNAME and NATS_AUTH_PASSWORD",
};

const NATS_USERNAME: Flag = {
  name: "--nats-auth-username",
  value: "NAME",
  rule: "a name, with its password in NATS_AUTH_PASSWORD",
  help: "Whom NATS knows us as",
  defaultText: "user",
  env: "NATS_AUTH_USERNAME",
};

const NATS_CREDENTIALS: Flag = {
  name: "--nats-auth-credentials-file",
  value: "FILE",
  rule: FILE_RULE,
  help: "Credentials of a NATS account",
  env: "NATS_AUTH_CREDENTIALS_FILE",
  isHidden: true,
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

const ETCD_USERNAME: Flag = {
  name: "--etcd-auth-username",
  value: "NAME",
  rule: "a name, with its password in ETCD_AUTH_PASSWORD",
  help: "Whom etcd knows us as",
  env: "ETCD_AUTH_USERNAME",
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

export const SECRETS_NOTE =
  "Secrets come from the environment: NATS_AUTH_PASSWORD, NATS_AUTH_TOKEN, NATS_AUTH_NKEY, " +
  "ETCD_AUTH_PASSWORD, or from the file that the same name with _FILE names.";

/** @throws {UsageError} */
export function readConnections(flags: GivenFlags, env: Invocation["env"]): Connections {
  const servers = flags.value(NATS_SERVER, addresses(["nats", "tls"])) ?? [NATS_SERVER.defaultText!];
  const nats = { servers, auth: readNatsAuth(flags, env) };
  if (flags.has(NO_ETCD)) return { nats };
  const endpoints = flags.value(ETCD_ENDPOINTS, addresses(["http", "https", ""])) ??
    [ETCD_ENDPOINTS.defaultText!];
  const username = flags.value(ETCD_USERNAME, notEmpty);
  if (username === undefined) return { nats, etcd: { endpoints } };
  const password = neededSecret("ETCD_AUTH_PASSWORD", { env, username });
  return { nats, etcd: { endpoints, auth: { username, password } } };
}

/** Dynamo's order: a password, a token, an nkey, a file; `user`/`user` where nothing is said. */
function readNatsAuth(flags: GivenFlags, env: Invocation["env"]): NatsAuth {
  const username = flags.value(NATS_USERNAME, notEmpty);
  if (username !== undefined) {
    return { kind: "password", username, password: neededSecret("NATS_AUTH_PASSWORD", { env, username }) };
  }
  const token = secret("NATS_AUTH_TOKEN", env);
  if (token !== undefined) return { kind: "token", token };
  const seed = secret("NATS_AUTH_NKEY", env);
  if (seed !== undefined) {
    const auth: NatsAuth = { kind: "nkey", seed };
    if (natsAuthProblem(auth)) throw new UsageError("NATS_AUTH_NKEY: must be the seed of an nkey, SU…");
    return auth;
  }
  const text = flags.value(NATS_CREDENTIALS, fileText);
  if (text !== undefined) {
    const auth: NatsAuth = { kind: "credentials", text };
    if (natsAuthProblem(auth)) {
      throw new UsageError(
        `${NATS_CREDENTIALS.name}: must be a file with the JWT and the seed of a NATS user`,
      );
    }
    return auth;
  }
  return { kind: "password", username: "user", password: "user" };
}

function neededSecret(
  name: string,
  { env, username }: { readonly env: Invocation["env"]; readonly username: string },
): string {
  const value = secret(name, env);
  if (value === undefined) throw new UsageError(`${name} is missing: must be the password of ${username}`);
  return value;
}

/** A variable that holds a secret, or names the file that does; a last newline in the file does not count. */
function secret(name: string, env: Invocation["env"]): string | undefined {
  if (env[name]) return env[name];
  const file = env[`${name}_FILE`];
  if (!file) return undefined;
  const text = fileText(file);
  if (text === undefined) {
    throw new UsageError(`${name}_FILE: must be ${FILE_RULE}`);
  }
  return text.replace(/\r?\n$/, "");
}

function fileText(path: string): string | undefined {
  try {
    return readRegularFileSync(path, { maxBytes: MAX_FILE_BYTES });
  } catch {
    return undefined;
  }
}

function notEmpty(text: string): string | undefined {
  return text === "" ? undefined : text;
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
