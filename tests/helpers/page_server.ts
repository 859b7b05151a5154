/** A worker's page, as a test wants it. */
export class PageServer implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  /** How often `/metrics` was asked for. */
  asked = 0;

  /**
   * `answer` may be set anew at any time.
   *
   * @throws {Deno.errors.AddrInUse}
   */
  constructor(
    public answer: (request: Request) => Response | Promise<Response>,
    /** Any free port when left out. */
    { port = 0 }: { readonly port?: number } = {},
  ) {
    this.#server = Deno.serve({ port, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
      if (new URL(request.url).pathname === "/metrics") this.asked++;
      return this.answer(request);
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** The page that a worker of a captured deployment of 1.6.1 had under load. */
export function capturedPage(worker: 1 | 2): string {
  return workerPage(`1.6.1/worker${worker}.under-load`);
}

/** @param name below testdata/worker_pages */
export function workerPage(name: string): string {
  return Deno.readTextFileSync(new URL(`../testdata/worker_pages/${name}.txt`, import.meta.url));
}
