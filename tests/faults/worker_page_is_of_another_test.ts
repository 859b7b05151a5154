import { firstPageGoesWrong } from "../helpers/paged_deployment.ts";
import { capturedPage } from "../helpers/page_server.ts";

Deno.test("a page at a worker's address that is another's by now gives that worker no numbers", async () => {
  await firstPageGoesWrong(() => new Response(capturedPage(2)), { reason: "other_worker" });
});
