import type { Page } from "../exposition/pages.ts";
import type { Handler } from "./server.ts";

/** `/metrics`. `Snapshot-Seq` says of which Snapshot the page is. */
export function metricsRoute(
  options: { readonly page: () => Promise<Page>; readonly contentType: string },
): Handler {
  return async () => {
    const { seq, bytes } = await options.page();
    return new Response(bytes, {
      headers: {
        "content-type": options.contentType,
        "content-length": String(bytes.length),
        "snapshot-seq": String(seq),
      },
    });
  };
}
