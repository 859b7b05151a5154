import { firstPageGoesWrong } from "../helpers/paged_deployment.ts";
import { capturedPage } from "../helpers/page_server.ts";

Deno.test("a page that is answered with 500 is not read, and takes nothing from its neighbour", async () => {
  await firstPageGoesWrong(() => new Response(capturedPage(1), { status: 500 }), {
    reason: "status",
    cause: "answers 500",
  });
});
