import { logger } from "../log.ts";
import { within } from "../timing.ts";

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
  const server = bind(options);
  const { hostname, port } = server.addr;
  return {
    address: addressText(hostname, port),
    async [Symbol.asyncDispose]() {
      const limit = { ms: options.drainMs ?? 500, what: "the last readers" };
      await within(server.shutdown(), limit).catch(() => {}); // Who reads slower ends with the process.
    },
  };
}

function bind(options: ServerOptions): Deno.HttpServer<Deno.NetAddr> {
  const { host, port } = options;
  try {
    return Deno.serve({
      hostname: host,
      port,
      onListen: () => {},
      onError: (error) => {
        logger("server").error("Cannot answer", { cause: (error as Error).message });
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

async function respond(request: Request, options: ServerOptions): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
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
