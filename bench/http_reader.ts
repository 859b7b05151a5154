/** What came, as far as a load needs to know. */
export interface ReadResponse {
  readonly status: number;
  /** `content-encoding`; undefined without one. */
  readonly encoding: string | undefined;
  readonly body: Uint8Array;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * One kept connection that reads an address again and again, as a scraper does. It unpacks nothing, so that it costs the
 * machine little; bodies must say their length.
 */
export class HttpReader implements Disposable {
  readonly #socket: Deno.TcpConn;
  readonly #host: string;
  /** As large as the largest body seen; grows. */
  #buffer = new Uint8Array(65_536);
  #filled = 0;

  private constructor(socket: Deno.TcpConn) {
    this.#socket = socket;
    const { hostname, port } = socket.remoteAddr;
    this.#host = `${hostname}:${port}`;
  }

  static async connect(url: string): Promise<HttpReader> {
    const { hostname, port } = new URL(url);
    return new HttpReader(await Deno.connect({ hostname, port: Number(port) }));
  }

  /** A request as bytes, to be made once. `gzip`: packed bodies are taken. */
  static request(url: string, { gzip }: { gzip: boolean }): Uint8Array {
    const { host, pathname } = new URL(url);
    const accept = gzip ? "Accept-Encoding: gzip\r\n" : "";
    return encoder.encode(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\n${accept}\r\n`);
  }

  /** Asks once. The body is valid until the next call. @throws when the server ends the connection */
  async read(request: Uint8Array): Promise<ReadResponse> {
    for (let sent = 0; sent < request.length;) sent += await this.#socket.write(request.subarray(sent));
    this.#filled = 0;
    let end = -1;
    while ((end = headEnd(this.#buffer.subarray(0, this.#filled))) < 0) await this.#fill();
    const head = decoder.decode(this.#buffer.subarray(0, end)).toLowerCase();
    const length = /^content-length: (\d+)/m.exec(head)?.[1];
    if (length === undefined) throw new Error("a response without a length");
    const bodyEnd = end + Number(length);
    while (this.#filled < bodyEnd) await this.#fill();
    return {
      status: Number(head.slice(9, 12)),
      encoding: /^content-encoding: (\S+)/m.exec(head)?.[1],
      body: this.#buffer.subarray(end, bodyEnd),
    };
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  async #fill(): Promise<void> {
    if (this.#filled === this.#buffer.length) {
      const larger = new Uint8Array(2 * this.#buffer.length);
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    const count = await this.#socket.read(this.#buffer.subarray(this.#filled));
    if (count === null) throw new Error(`${this.#host} ended the connection`);
    this.#filled += count;
  }
}

/** Where the body begins; -1 while the head is not whole. */
function headEnd(bytes: Uint8Array): number {
  const limit = Math.min(bytes.length - 3, MAX_HEAD_BYTES);
  for (let at = 0; at < limit; at++) {
    if (bytes[at] === 13 && bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) {
      return at + 4;
    }
  }
  return -1;
}

const MAX_HEAD_BYTES = 8_192;
