import { lengthOf } from "../bytes.ts";
import type { Page } from "../exposition/pages.ts";
import { bodiesOf, type Body } from "./body.ts";
import type { Agreed } from "./negotiation.ts";

/** What the answers with one page have in common, made once for all its readers. */
export class PageAnswer {
  readonly contentType: string;
  readonly #headers: Headers;
  readonly #body: (onRead: () => void) => Body;

  constructor({ seq, parts }: Page, { contentType, encoding }: Agreed) {
    this.contentType = contentType;
    this.#headers = new Headers({
      "content-type": contentType,
      "content-length": String(lengthOf(parts)),
      "vary": "Accept, Accept-Encoding",
      "snapshot-seq": String(seq),
      ...(encoding === "gzip" && { "content-encoding": "gzip" }),
    });
    this.#body = bodiesOf(parts, { isText: encoding === "identity" });
  }

  /** For one reader; `onRead` is told when the page's bytes were read, or will not be. */
  response(onRead: () => void): Response {
    const body = this.#body(onRead);
    const response = new Response(body, { headers: this.#headers });
    if (!(body instanceof ReadableStream)) onRead();
    return response;
  }
}
