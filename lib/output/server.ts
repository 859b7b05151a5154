import { logger } from "../log.ts";
import { sleep, within } from "../timing.ts";
import { BindError } from "../transport/bind_error.ts";
import { memo } from "./memo.ts";
import { textAnswer } from "./text_answer.ts";

/**
 * Answers a GET at one path; of a HEAD's answer the server leaves out the body. The address is the request's, already read;
 * it is shared.
 */
export type Handler = (request: Request, url: URL) => Response | Promise<Response>;

/** Who answers at each path. */
export type Routes = ReadonlyMap<string, Handler>;

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly routes: Routes;
  /** How long readers may take to finish when the server stops. */
  readonly drainMs?: number;
}

/**
 * A server that is bound. Disposing takes no new readers and waits a moment for those that are there. (Deno 2.9 throws when
 * a server that shuts down is aborted as well, so the slow ones are left.)
 */
export interface MetricsServer extends AsyncDisposable {
  readonly address: string;
}

/**
 * Serves what the routes answer; all else is not found.
 *
 * @throws {BindError}
 */
export function startServer(options: ServerOptions): MetricsServer {
  return new ReopenedServer(options);
}

/**
 * Deno's server ends when it cannot accept, which is when readers have taken all file descriptors: then it is opened
 * again, and the connections that were there end.
 */
class ReopenedServer implements MetricsServer {
  readonly address: string;
  readonly #options: ServerOptions;
  readonly #stop = new AbortController();
  readonly #log = logger("server");
  #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(options: ServerOptions) {
    this.#server = this.#open(options);
    const { hostname, port } = this.#server.addr;
    this.#options = { ...options, port };
    this.address = addressText(hostname, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    const limit = { ms: this.#options.drainMs ?? 500, what: "the last readers" };
    await within(this.#server.shutdown(), limit).catch(() => {}); // Who reads slower ends with the process.
  }

  #open(options: ServerOptions): Deno.HttpServer<Deno.NetAddr> {
    const connections = new AbortController();
    const server = bind(options, connections.signal);
    server.finished.catch((error) => {
      if (this.#stop.signal.aborted) return;
      this.#log.warn("The server failed, opening it again", { cause: (error as Error).message });
      connections.abort();
      return this.#reopen();
    });
    return server;
  }

  async #reopen(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        this.#server = this.#open(this.#options);
        return;
      } catch (error) {
        if (!(error instanceof BindError)) throw error;
        await sleep(REOPEN_MS, { signal });
      }
    }
  }
}

const REOPEN_MS = 100;

function bind(options: ServerOptions, signal: AbortSignal): Deno.HttpServer<Deno.NetAddr> {
  const { host, port } = options;
  const said = new Set<string>();
  try {
    return Deno.serve({
      hostname: host,
      port,
      signal,
      onListen: () => {},
      onError: (error) => {
        const { message } = error as Error;
        if (!said.has(message)) logger("server").error("Cannot answer", { cause: message });
        if (said.size < MAX_SAID) said.add(message);
        return textAnswer(500, "internal error");
      },
    }, (request) => respond(request, options.routes)) as Deno.HttpServer<Deno.NetAddr>;
  } catch (cause) {
    const advice = cause instanceof Deno.errors.AddrInUse ? ". The port may be in use." : "";
    throw new BindError(
      `Failed to bind to address ${addressText(host, port)}: ${(cause as Error).message}${advice}`,
      { cause },
    );
  }
}

/** How many different errors are remembered as said. */
const MAX_SAID = 100;

/** Of a Host header that is none it makes no address. */
const addressOf = memo((text: string) => URL.parse(text));

function respond(request: Request, routes: Routes): Response | Promise<Response> {
  const url = addressOf(request.url);
  if (url === null) return textAnswer(400, "bad request; no such address");
  const handler = routes.get(url.pathname);
  if (handler === undefined) return textAnswer(404, "not found; see /metrics");
  switch (request.method) {
    case "GET":
      return handler(request, url);
    case "HEAD":
      return withoutBody(handler(request, url));
    default:
      return textAnswer(405, "method not allowed; GET or HEAD", { allow: "GET, HEAD" });
  }
}

async function withoutBody(answer: Response | Promise<Response>): Promise<Response> {
  const { status, headers, body } = await answer;
  await body?.cancel();
  return new Response(null, { status, headers });
}

function addressText(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
