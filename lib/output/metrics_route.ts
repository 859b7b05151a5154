import type { Format } from "../exposition/sample.ts";
import type { Encoding, Loan, Page } from "../exposition/pages.ts";
import { negotiate } from "./negotiation.ts";
import { PageAnswer } from "./page_answer.ts";
import type { Handler } from "./server.ts";

export interface MetricsRouteOptions {
  /** The newest page in a format and encoding. */
  readonly lend: (format: Format, encoding: Encoding) => Promise<Loan>;
  /** Whether readers that want it get pages compressed. */
  readonly gzip: boolean;
}

/** `/metrics`, in the format and encoding that the reader asks for. `Snapshot-Seq` says of which Snapshot the page is. */
export function metricsRoute({ lend, gzip }: MetricsRouteOptions): Handler {
  const answers = new WeakMap<Page, PageAnswer>();
  return async ({ headers }) => {
    const asked = { accept: headers.get("accept"), acceptEncoding: headers.get("accept-encoding") };
    const agreed = negotiate(asked, { gzip });
    const loan = await lend(agreed.format, agreed.encoding);
    try {
      let answer = answers.get(loan.page);
      if (answer?.contentType !== agreed.contentType) {
        answer = new PageAnswer(loan.page, agreed);
        answers.set(loan.page, answer);
      }
      return answer.response(() => loan[Symbol.dispose]());
    } catch (error) {
      loan[Symbol.dispose]();
      throw error;
    }
  };
}
