import { firstPageGoesWrong } from "../helpers/paged_deployment.ts";

Deno.test("a page of garbage is passed over, and takes nothing from its neighbour", async () => {
  const garbage = crypto.getRandomValues(new Uint8Array(60_000));
  await firstPageGoesWrong(() => new Response(garbage), { reason: "no_load" });
});
