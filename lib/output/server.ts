import { logger } from "../log.ts";
import { sleep, within } from "../timing.ts";

/** What `/readyz` says. `ready` is false before the first round and while stopping. */
export interface Health {
  readonly alive: boolean;
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly page: () => Promise<Uint8Array<ArrayBuffer>>;
  readonly contentType: string;
  readonly health: () => Health;
  readonly landing: string;
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

/** An address that cannot be served on: the message is one line that names it. */
export class BindError extends Error {
  override readonly name = "BindError";
}

/**
 * Serves `/metrics`, `/livez`, `/readyz` and a landing page.
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
        return text(500, "internal error");
      },
    }, (request) => respond(request, options)) as Deno.HttpServer<Deno.NetAddr>;
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

async function respond(request: Request, options: ServerOptions): Promise<Response> {
  const url = URL.parse(request.url); // Of a Host header that is none it makes no address.
  if (url === null) return text(400, "bad request; no such address");
  const { pathname, searchParams } = url;
  if (!["/", "/metrics", "/livez", "/readyz"].includes(pathname)) return text(404, "not found; see /metrics");
  if (request.method !== "GET" && request.method !== "HEAD") {
    return text(405, "method not allowed; GET or HEAD", { allow: "GET, HEAD" });
  }
  switch (pathname) {
    case "/metrics": {
      const page = await options.page();
      const headers = { "content-type": options.contentType, "content-length": String(page.length) };
      return new Response(request.method === "HEAD" ? null : page, { headers });
    }
    case "/livez":
      return options.health().alive ? text(200, "ok") : text(503, "the poll loop does not turn");
    case "/readyz":
      return readiness(options.health(), searchParams.has("strict"));
    default:
      return new Response(options.landing, { headers: { "content-type": "text/html; charset=utf-8" } });
  }
}

function readiness({ ready, reasons }: Health, strict: boolean): Response {
  const status = reasons.length === 0 ? "ok" : "degraded";
  return Response.json({ status, reasons }, { status: !ready || strict && status !== "ok" ? 503 : 200 });
}

function text(status: number, line: string, headers: Record<string, string> = {}): Response {
  return new Response(`${line}\n`, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}

function addressText(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
