export interface StoredKey {
  readonly key: string;
  readonly value: string;
  /** Decimal, 0 for none. */
  readonly lease: string;
}

/** Everything that etcd holds, by its HTTP gateway, so that the client under test is not its own witness. */
export async function etcdKeys(url: string): Promise<StoredKey[]> {
  const { kvs = [] } = await post(`${url}/v3/kv/range`, { key: btoa("\0"), range_end: btoa("\0") }) as {
    kvs?: { key: string; value: string; lease: string }[];
  };
  return kvs.map(({ key, value, lease }) => ({ key: atob(key), value: atob(value), lease }));
}

/** What etcd keeps the lease for in seconds, "-1" for a lease it does not know. */
export async function leaseTtl(url: string, id: string): Promise<string> {
  const { grantedTTL, TTL } = await post(`${url}/v3/lease/timetolive`, { ID: id }) as Record<string, string>;
  return grantedTTL ?? TTL!;
}

/** Takes a lease away, as an operator could. */
export async function revokeLease(url: string, id: string): Promise<void> {
  await post(`${url}/v3/lease/revoke`, { ID: id });
}

/** From now on etcd takes nobody without this name, which may do everything, and password. */
export async function requirePassword(
  url: string,
  auth: { readonly username: string; readonly password: string },
): Promise<void> {
  await post(`${url}/v3/auth/user/add`, { name: auth.username, password: auth.password });
  await post(`${url}/v3/auth/role/add`, { name: "root" });
  await post(`${url}/v3/auth/user/grant`, { user: auth.username, role: "root" });
  await post(`${url}/v3/auth/enable`, {});
}

/** A password-protected etcd takes the token of a login with every call. */
export async function login(
  url: string,
  auth: { readonly username: string; readonly password: string },
): Promise<string> {
  const { token } = await post(`${url}/v3/auth/authenticate`, {
    name: auth.username,
    password: auth.password,
  }) as {
    token: string;
  };
  return token;
}

/** Puts keys, whatever their values. */
/** Gives the user another password; who is logged in as that user no longer is. */
export async function changePassword(
  url: string,
  auth: { readonly username: string; readonly password: string },
  password: string,
): Promise<void> {
  await post(`${url}/v3/auth/user/changepw`, { name: auth.username, password }, await login(url, auth));
}

export async function putKeys(url: string, keys: readonly string[], token?: string): Promise<void> {
  for (const key of keys) await post(`${url}/v3/kv/put`, { key: btoa(key), value: "" }, token);
}

/** Puts keys under one new lease of a minute, many in a transaction; gives the lease's id. */
export async function putKeysUnderLease(url: string, keys: readonly string[]): Promise<string> {
  const { ID } = await post(`${url}/v3/lease/grant`, { TTL: 60 }) as { ID: string };
  for (let n = 0; n < keys.length; n += 100) {
    const success = keys.slice(n, n + 100).map((key) => ({
      request_put: { key: btoa(key), value: "", lease: ID },
    }));
    await post(`${url}/v3/kv/txn`, { success });
  }
  return ID;
}

/** Puts keys with their values, each under the lease it names (decimal), which is granted for ten minutes. */
export async function putLeasedKeys(url: string, keys: readonly StoredKey[]): Promise<void> {
  for (const lease of new Set(keys.map(({ lease }) => lease))) {
    if (lease === "0") continue;
    await post(`${url}/v3/lease/grant`, { ID: lease, TTL: 600 });
  }
  for (const key of keys) await putKey(url, key);
}

/** Puts a key under a lease that was granted. */
export async function putKey(url: string, { key, value, lease }: StoredKey): Promise<void> {
  await post(`${url}/v3/kv/put`, { key: btoa(key), value: btoa(value), lease });
}

/** Takes a key away. */
export async function deleteKey(url: string, key: string): Promise<void> {
  await post(`${url}/v3/kv/deleterange`, { key: btoa(key) });
}

/** Drops all history before now. */
export async function compact(url: string): Promise<void> {
  const { header } = await post(`${url}/v3/kv/range`, { key: btoa("x") }) as { header: { revision: string } };
  await post(`${url}/v3/kv/compaction`, { revision: header.revision, physical: true });
}

async function post(url: string, body: unknown, token?: string): Promise<unknown> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: token };
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body), headers });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return await response.json();
}
