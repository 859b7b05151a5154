import { connect, createInbox, type NatsConnection } from "nats";

import { eventually } from "./eventually.ts";

/** A client that looks at a NATS server from outside, as an operator's tool would. */
export class NatsObserver implements AsyncDisposable {
  private constructor(readonly connection: NatsConnection) {}

  static async connect(url: string, user: { user?: string; pass?: string } = {}): Promise<NatsObserver> {
    // On a full machine npm:nats' own socket was seen to hang under Deno, before the server's greeting.
    const options = { servers: url, timeout: 3_000, ...user };
    return new NatsObserver(await eventually(() => connect(options), { timeoutMs: 15_000 }));
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
