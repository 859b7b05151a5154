import type { PageText } from "../exposition/page.ts";
import type { Handler } from "./server.ts";

/** `/metrics`. `Snapshot-Seq` says of which Snapshot the page is. */
export function metricsRoute(
  options: { readonly page: () => Promise<PageText>; readonly contentType: string },
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
