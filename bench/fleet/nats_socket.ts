/** A question that came: where the answer goes. */
export interface Question {
  readonly subject: string;
  readonly reply: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * NATS' wire without a library, for what a fleet needs: it hears questions without a body, and sends bytes that are laid
 * out already. Nothing beside is understood.
 */
export class NatsSocket implements Disposable {
  readonly #socket: Deno.TcpConn;
  #sending: Promise<void> = Promise.resolve();

  private constructor(socket: Deno.TcpConn) {
    this.#socket = socket;
  }

  static async connect(url: string): Promise<NatsSocket> {
    const { hostname, port } = new URL(url);
    const socket = await Deno.connect({ hostname, port: Number(port) });
    socket.setNoDelay();
    const client = new NatsSocket(socket);
    client.send(encoder.encode('CONNECT {"verbose":false,"pedantic":false,"name":"fleet"}\r\n'));
    return client;
  }

  /** Calls `answer` with each question at the subject, until the server ends the connection. */
  async answer(subject: string, answer: (question: Question) => void): Promise<void> {
    this.send(encoder.encode(`SUB ${subject} 1\r\n`));
    let rest = "";
    for await (const chunk of this.#socket.readable) {
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split("\r\n");
      rest = lines.pop()!;
      for (const line of lines) {
        if (line === "PING") this.send(encoder.encode("PONG\r\n"));
        const [, asked, reply] = /^MSG (\S+) 1 (\S+) 0$/.exec(line) ?? [];
        if (asked !== undefined && reply !== undefined) answer({ subject: asked, reply });
      }
    }
  }

  /** Sends after all that was sent before; `bytes` must stay as they are until that is done. */
  send(bytes: Uint8Array): Promise<void> {
    this.#sending = this.#sending.then(async () => {
      for (let sent = 0; sent < bytes.length;) sent += await this.#socket.write(bytes.subarray(sent));
    });
    return this.#sending;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
