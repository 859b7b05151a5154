import type { Format } from "../exposition/format.ts";
import type { Encoding, Page } from "../exposition/pages.ts";
import { bodyOf } from "./body.ts";
import { negotiate } from "./negotiation.ts";
import type { Handler } from "./server.ts";

export interface MetricsRouteOptions {
  /** The newest page in a format and encoding. */
  readonly page: (format: Format, encoding: Encoding) => Promise<Page>;
  /** Whether readers that want it get pages compressed. */
  readonly gzip: boolean;
}

/** `/metrics`, in the format and encoding that the reader asks for. `Snapshot-Seq` says of which Snapshot the page is. */
export function metricsRoute({ page, gzip }: MetricsRouteOptions): Handler {
  return async ({ headers }) => {
    const asked = { accept: headers.get("accept"), acceptEncoding: headers.get("accept-encoding") };
    const { format, contentType, encoding } = negotiate(asked, { gzip });
    const { seq, bytes } = await page(format, encoding);
    return new Response(bodyOf(bytes), {
      headers: {
        "content-type": contentType,
        "content-length": String(bytes.length),
        "vary": "Accept, Accept-Encoding",
        "snapshot-seq": String(seq),
        ...(encoding === "gzip" && { "content-encoding": "gzip" }),
      },
    });
  };
}
