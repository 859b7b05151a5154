import { firstPageGoesWrong } from "../helpers/paged_deployment.ts";

Deno.test("a page that hangs takes nothing from its worker's events, nor from its neighbour's page", async () => {
  const hung = Promise.withResolvers<void>();
  await firstPageGoesWrong(async () => {
    await hung.promise;
    return new Response(null, { status: 503 });
  }, { reason: "timeout", cause: "timeout: no whole answer within 2000 ms", release: hung.resolve });
});
