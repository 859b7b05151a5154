import { firstPageGoesWrong } from "../helpers/paged_deployment.ts";
import { capturedPage } from "../helpers/page_server.ts";

Deno.test("a page of twenty megabytes is cut off, and takes nothing from its neighbour", async () => {
  const page = capturedPage(1);
  const body = new TextEncoder().encode(page + "# more\n".repeat(3_000_000));
  await firstPageGoesWrong(() => new Response(body), { reason: "too_large" });
});
