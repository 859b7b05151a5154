import assert from "node:assert/strict";
import { firstPageGoesWrong } from "../helpers/paged_deployment.ts";
import { capturedPage, PageServer } from "../helpers/page_server.ts";

Deno.test("a page that redirects is not followed, and takes nothing from its neighbour", async () => {
  await using elsewhere = new PageServer(() => new Response(capturedPage(1)));
  await firstPageGoesWrong(() => Response.redirect(`${elsewhere.origin}/metrics?token=secret`, 302), {
    reason: "status",
    cause: `answers 302, to ${elsewhere.origin}/metrics"`,
  });
  assert.equal(elsewhere.asked, 0);
});
