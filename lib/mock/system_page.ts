import { BindError } from "../transport/bind_error.ts";

export interface SystemPageOptions {
  /** 0 for a free one. */
  readonly port: number;
  /** The page now; undefined while the worker has no id. */
  readonly text: () => string | undefined;
}

const CONTENT_TYPE = "text/plain; version=0.0.4";

/** One worker's own `/metrics`, on all addresses of the machine. */
export class SystemPage implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** Serves at once. @throws {BindError} */
  constructor({ port, text }: SystemPageOptions) {
    const handler = (request: Request) => {
      if (URL.parse(request.url)?.pathname !== "/metrics") {
        return new Response("not found; see /metrics\n", { status: 404 });
      }
      const page = text();
      if (page === undefined) return new Response("the worker is not registered\n", { status: 503 });
      return new Response(page, { headers: { "content-type": CONTENT_TYPE } });
    };
    try {
      this.#server = Deno.serve(
        { port, signal: this.#stop.signal, onListen: () => {} },
        handler,
      ) as Deno.HttpServer<Deno.NetAddr>;
    } catch (cause) {
      const { message } = cause as Error;
      throw new BindError(`Failed to bind to port ${port}: ${message}. The port may be in use.`, { cause });
    }
  }

  get port(): number {
    return this.#server.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#server.finished;
  }
}
