/** A real nginx as a reverse proxy, with its own settings for all that a test does not say. */
import { join } from "node:path";
import { type ServerOptions, ServerProcess, started } from "./process.ts";

export interface NginxOptions extends ServerOptions {
  /** What stands in the `server` block beside `listen`, such as `location / { proxy_pass http://127.0.0.1:9091; }`. */
  readonly server: string;
}

/** See `startNginx`. */
export class Nginx extends ServerProcess {
  protected override readonly portCount = 1;
  readonly #server: string;

  constructor(options: NginxOptions) {
    super("nginx", options);
    this.#server = options.server;
  }

  get port(): number {
    return this.portAt(0);
  }

  /** `http://127.0.0.1:PORT` */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  protected override beforeStart(): Promise<void> {
    this.writeFiles({ "nginx.conf": this.#config() });
    return Promise.resolve();
  }

  protected override args(): readonly string[] {
    return ["-p", this.dir, "-c", join(this.dir, "nginx.conf"), "-e", "stderr"];
  }

  /** Any answer will do: the one behind it may not be there yet. */
  protected override async isReady(signal: AbortSignal): Promise<boolean> {
    const response = await fetch(this.url, { signal, redirect: "manual" });
    await response.body?.cancel();
    return true;
  }

  /** Places for its files, so that it needs no folder of the system; all else is as nginx has it by itself. */
  #config(): string {
    const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    const user = Deno.uid() === 0 ? "user root;" : ""; // Root's workers are somebody else's, who may not write here.
    return `daemon off;
${user}
worker_processes 1;
pid ${join(this.dir, "nginx.pid")};
events {}
http {
  access_log off;
  ${folders.map((name) => `${name}_temp_path ${join(this.dir, name)};`).join("\n  ")}
  types { text/html html; }
  server {
    listen 127.0.0.1:${this.port};
    ${this.#server}
  }
}
`;
  }
}

/** Starts an nginx on a free port of 127.0.0.1. */
export function startNginx(options: NginxOptions): Promise<Nginx> {
  return started(new Nginx(options));
}
