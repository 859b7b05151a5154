import { connect, createInbox, type NatsConnection } from "nats";

/** A client that looks at a NATS server from outside, as an operator's tool would. */
export class NatsObserver implements AsyncDisposable {
  private constructor(readonly connection: NatsConnection) {}

  static async connect(url: string): Promise<NatsObserver> {
    return new NatsObserver(await connect({ servers: url }));
  }

  /** Asks and returns the texts of all answers, in no order, once `count` of them are there; a 503 is "nobody". */
  async ask(subject: string, options: { readonly count?: number } = {}): Promise<string[]> {
    const inbox = createInbox();
    const answers: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const subscription = this.connection.subscribe(inbox, {
      callback: (error, message) => {
        if (error) throw error;
        answers.push(message.headers?.code === 503 ? "nobody" : message.string());
        if (answers.length >= (options.count ?? 1)) resolve();
      },
    });
    this.connection.publish(subject, "", { reply: inbox });
    const timer = setTimeout(resolve, 2_000);
    await promise;
    clearTimeout(timer);
    await this.connection.flush(); // One answer too many would be here by now.
    subscription.unsubscribe();
    return answers;
  }

  /** The messages at a subject from now on, with their time of arrival; the list grows. */
  async listen(subject: string): Promise<{ readonly text: string; readonly atMs: number }[]> {
    const messages: { text: string; atMs: number }[] = [];
    this.connection.subscribe(subject, {
      callback: (_, message) => messages.push({ text: message.string(), atMs: performance.now() }),
    });
    await this.connection.flush();
    return messages;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.connection.close();
  }
}

export interface StoredKey {
  readonly key: string;
  readonly value: string;
  /** Decimal. */
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

async function post(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return await response.json();
}
