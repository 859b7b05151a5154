import type { Loan, Page } from "../../lib/exposition/pages.ts";

/** A page of which nobody counts the readers. */
export function lentForEver(page: Page): Loan {
  return { page, [Symbol.dispose]: () => {} };
}
