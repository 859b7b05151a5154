import type { EtcdOptions } from "../transport/etcd_client.ts";
import { type NatsAuth, natsAuthProblem } from "../transport/nats_auth.ts";
import { SecretFile, withoutNewlines } from "../transport/secret_file.ts";
import { type Flag, type GivenFlags, type Invocation, UsageError } from "./usage.ts";

/** A variable that is set and does nothing, and why. */
export interface UnusedVariable {
  readonly server: "NATS" | "etcd";
  readonly variable: string;
  readonly why: string;
}

/** Who we are to a server. */
export interface Credentials<Auth> {
  readonly auth: Auth;
  readonly unused: readonly UnusedVariable[];
}

export const FILE_RULE = "a regular file of text that can be read and is not empty";

export const NATS_USERNAME: Flag = {
  name: "--nats-auth-username",
  value: "NAME",
  rule: "a name, with its password in NATS_AUTH_PASSWORD",
  help: "Whom NATS knows us as",
  defaultText: "user",
  env: "NATS_AUTH_USERNAME",
};

export const NATS_CREDENTIALS: Flag = {
  name: "--nats-auth-credentials-file",
  value: "FILE",
  rule: FILE_RULE,
  help: "Credentials of a NATS account",
  env: "NATS_AUTH_CREDENTIALS_FILE",
  isHidden: true,
};

export const ETCD_USERNAME: Flag = {
  name: "--etcd-auth-username",
  value: "NAME",
  rule: "a name, with its password in ETCD_AUTH_PASSWORD",
  help: "Whom etcd knows us as",
  env: "ETCD_AUTH_USERNAME",
};

export const SECRETS_NOTE =
  "Secrets come from the environment: NATS_AUTH_PASSWORD, NATS_AUTH_TOKEN, NATS_AUTH_NKEY, " +
  "ETCD_AUTH_PASSWORD, or from the file that the same name with _FILE names, which is read for each login.";

/**
 * Dynamo's order: a password, a token, an nkey, a file; `user`/`user` where nothing is said. What comes from a file is read
 * again each time that it is asked for.
 *
 * @throws {UsageError}
 */
export function readNatsCredentials(flags: GivenFlags, env: Invocation["env"]): Credentials<NatsAuth> {
  const username = flags.value(NATS_USERNAME, name);
  const ways: readonly [variable: string, auth: () => NatsAuth | undefined][] = [
    ["NATS_AUTH_USERNAME", () => username === undefined ? undefined : passwordAuth(username, env)],
    ["NATS_AUTH_TOKEN", () => tokenAuth(env)],
    ["NATS_AUTH_NKEY", () => nkeyAuth(env)],
    [NATS_CREDENTIALS.env!, () => flags.value(NATS_CREDENTIALS, credentialsAuth)],
  ];
  let taken: { readonly variable: string; readonly auth: NatsAuth } | undefined;
  const unused: UnusedVariable[] = username === undefined ? withoutUser("NATS", env) : [];
  for (const [variable, read] of ways) {
    if (taken === undefined) {
      const auth = read();
      if (auth) taken = { variable, auth };
    } else {
      const set = [variable, `${variable}_FILE`].filter((name) => env[name]);
      unused.push(...set.map((name) => ({
        server: "NATS" as const,
        variable: name,
        why: `${taken!.variable} comes before it`,
      })));
    }
  }
  unused.push(...twiceSet("NATS", ["NATS_AUTH_PASSWORD", "NATS_AUTH_TOKEN", "NATS_AUTH_NKEY"], env));
  return { auth: taken?.auth ?? { kind: "password", username: "user", password: "user" }, unused };
}

/** @throws {UsageError} */
export function readEtcdCredentials(
  flags: GivenFlags,
  env: Invocation["env"],
): Credentials<EtcdOptions["auth"]> {
  const username = flags.value(ETCD_USERNAME, name);
  const unused = twiceSet("etcd", ["ETCD_AUTH_PASSWORD"], env);
  if (username === undefined) return { auth: undefined, unused: [...withoutUser("etcd", env), ...unused] };
  const read = neededSecret("ETCD_AUTH_PASSWORD", { env, user: "ETCD_AUTH_USERNAME" });
  const auth = {
    username,
    get password() {
      return read();
    },
  };
  return { auth, unused };
}

function passwordAuth(username: string, env: Invocation["env"]): NatsAuth {
  const read = neededSecret("NATS_AUTH_PASSWORD", { env, user: "NATS_AUTH_USERNAME" });
  return {
    kind: "password",
    username,
    get password() {
      return read();
    },
  };
}

function tokenAuth(env: Invocation["env"]): NatsAuth | undefined {
  const read = secret("NATS_AUTH_TOKEN", { env });
  return read && {
    kind: "token",
    get token() {
      return read();
    },
  };
}

function nkeyAuth(env: Invocation["env"]): NatsAuth | undefined {
  const rule = "the seed of an nkey, SU…";
  const read = secret("NATS_AUTH_NKEY", {
    env,
    problem: (seed) => natsAuthProblem({ kind: "nkey", seed }) && `must be ${rule}`,
    rule,
  });
  return read && {
    kind: "nkey",
    get seed() {
      return read();
    },
  };
}

/** Undefined where the file cannot be read. @throws {UsageError} where it is another one */
function credentialsAuth(given: string): NatsAuth | undefined {
  const path = withoutNewlines(given);
  const problem = (text: string) =>
    natsAuthProblem({ kind: "credentials", text: `${text}\n` }) &&
    "must have the JWT and the seed of a NATS user";
  let file: SecretFile;
  try {
    file = new SecretFile({ path, name: NATS_CREDENTIALS.env!, problem });
  } catch (error) {
    if (!/must have/.test((error as Error).message)) return undefined;
    throw new UsageError(`${NATS_CREDENTIALS.name}: must be a file with the JWT and the seed of a NATS user`);
  }
  return {
    kind: "credentials",
    get text() {
      return `${file.text}\n`;
    },
  };
}

/** Gives the secret as it is when it is asked for. */
type ReadSecret = () => string;

function neededSecret(
  name: string,
  { env, user }: { readonly env: Invocation["env"]; readonly user: string },
): ReadSecret {
  const read = secret(name, { env });
  if (read === undefined) {
    throw new UsageError(`${name} is missing: must be the password of the user in ${user}`);
  }
  return read;
}

/** A variable that holds a secret, or names the file that does; newlines at its end do not count. */
function secret(
  name: string,
  { env, problem, rule = FILE_RULE }: {
    readonly env: Invocation["env"];
    readonly problem?: (text: string) => string | undefined;
    readonly rule?: string;
  },
): ReadSecret | undefined {
  const text = withoutNewlines(env[name] ?? "");
  if (text !== "") {
    if (problem?.(text)) throw new UsageError(`${name}: must be ${rule}`);
    return () => text;
  }
  const path = withoutNewlines(env[`${name}_FILE`] ?? "");
  if (path === "") return undefined;
  try {
    const file = new SecretFile({ path, name: `${name}_FILE`, ...(problem && { problem }) });
    return () => file.text;
  } catch (error) {
    const isWrong = problem !== undefined && /^must be /.test((error as Error).message);
    throw new UsageError(isWrong ? `${name}: must be ${rule}` : `${name}_FILE: must be ${FILE_RULE}`);
  }
}

function name(text: string): string | undefined {
  return withoutNewlines(text) || undefined;
}

/** A password whose user is missing. */
function withoutUser(server: "NATS" | "etcd", env: Invocation["env"]): UnusedVariable[] {
  const prefix = server === "NATS" ? "NATS_AUTH" : "ETCD_AUTH";
  return [`${prefix}_PASSWORD`, `${prefix}_PASSWORD_FILE`].filter((variable) => env[variable])
    .map((variable) => ({ server, variable, why: `${prefix}_USERNAME is missing` }));
}

/** Files that are named although their variables hold the secret. */
function twiceSet(
  server: "NATS" | "etcd",
  names: readonly string[],
  env: Invocation["env"],
): UnusedVariable[] {
  return names.filter((name) => env[name] && env[`${name}_FILE`])
    .map((name) => ({ server, variable: `${name}_FILE`, why: `${name} comes before it` }));
}
