import assert from "node:assert/strict";
import { Browser } from "../../tools/browser.ts";
import { startNginx } from "../../tools/servers/nginx.ts";
import { eventually, steadily } from "../helpers/eventually.ts";
import { PlayedFleet, playedWorker } from "../helpers/played_fleet.ts";

Deno.test("below a path prefix of a proxy the page shows the fleet, its past and its links", async () => {
  await using fleet = new PlayedFleet();
  fleet.remember(() => [playedWorker("1")]);
  fleet.publish([playedWorker("1"), playedWorker("2")]);
  await using nginx = await startNginx({
    server: `location /team/monitor/ { proxy_pass ${fleet.url}/; proxy_buffering off; }`,
  });
  await using browser = await Browser.open();
  const refused: string[] = [];
  const page = await browser.page("about:blank");
  page.on("response", (response) => {
    if (response.status() >= 400) refused.push(response.url());
  });
  await page.goto(`${nginx.url}/team/monitor/`);
  await page.getByText("All 2 workers are alive").waitFor();
  await page.getByRole("link", { name: "2", exact: true }).last().click();
  await page.getByRole("heading", { name: "2", exact: true }).waitFor();
  const links = await page.locator("footer a").evaluateAll((all) =>
    all.map((link) => new URL((link as unknown as { href: string }).href).pathname)
  );
  assert.deepEqual(links, ["/team/monitor/metrics", "/team/monitor/api/v1/fleet", "/team/monitor/readyz"]);
  await eventually(() => assert.deepEqual(refused, []));
});

Deno.test("behind an nginx that was told nothing an empty fleet is shown, and each change at once", async () => {
  await using fleet = new PlayedFleet();
  await using nginx = await startNginx({ server: `location / { proxy_pass ${fleet.url}; }` });
  await using browser = await Browser.open();
  const page = await browser.page(nginx.url);
  await page.getByText("No worker is registered at dynamo/my_component/my_endpoint").waitFor();
  fleet.publish([playedWorker("1")]);
  await page.getByText("The worker is alive").waitFor({ timeout: 4_000 });
  await steadily(async () => assert.equal(await page.getByRole("alert").count(), 0), { forMs: 7_000 });
});
