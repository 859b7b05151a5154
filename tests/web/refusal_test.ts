import assert from "node:assert/strict";
import { Browser } from "../../tools/browser.ts";
import { startNginx } from "../../tools/servers/nginx.ts";
import { PlayedFleet } from "../helpers/played_fleet.ts";
import { whyRefused } from "../../web/refusal.ts";

const ANSWERS: readonly (readonly [answer: Response, why: string | undefined])[] = [
  [answer(200, "text/event-stream", ""), undefined],
  [answer(200, "text/event-stream; charset=utf-8", ""), undefined],
  [
    Response.json({ error: "100 streams are open" }, { status: 503 }),
    "The server says: 100 streams are open.",
  ],
  [Response.json({ error: "Too many. Retry!" }, { status: 429 }), "The server says: Too many. Retry!"],
  [
    answer(404, "text/plain", "not found\n"),
    "There is no api/v1/stream here. Was metrics started with --no-web, or does a proxy use another path?",
  ],
  [answer(502, "text/html", "<html>"), "The server, or a proxy before it, answers 502 Bad Gateway."],
  [answer(500, "application/json", "null"), "The server, or a proxy before it, answers 500 Bad Gateway."],
  [
    answer(403, "application/json", '{"error":7}'),
    "The server, or a proxy before it, answers 403 Bad Gateway.",
  ],
  [
    new Response("", { status: 401, headers: { "content-type": "text/html" } }),
    "The server, or a proxy before it, answers 401.",
  ],
  [
    answer(200, "text/html", "<form>"),
    "The answer is no stream, it is text/html. Another program, or a login page, may answer here.",
  ],
  [
    { type: "opaqueredirect", status: 0, ok: false, headers: new Headers() } as Response,
    "The server sends this page elsewhere. You may have to log in again: reload the page.",
  ],
];

for (const [response, why] of ANSWERS) {
  const { status, headers } = response;
  Deno.test(`an answer ${status} of ${headers.get("content-type")} says: ${why}`, async () => {
    assert.equal(await whyRefused(response), why);
  });
}

Deno.test("the page says what the server said when it refuses the stream", async () => {
  await using fleet = new PlayedFleet({ maxReaders: 1 });
  const first = await fetch(`${fleet.url}/api/v1/stream`);
  await using browser = await Browser.open();
  const page = await browser.page(fleet.url);
  const alert = page.getByRole("alert");
  await alert.getByText("The server says: 1 streams are open").waitFor();
  await alert.getByText("No data received yet.").waitFor();
  await first.body!.cancel();
  await page.getByText("No worker is registered").waitFor();
  assert.equal(await alert.count(), 0);
});

const PROXIES: readonly (readonly [location: string, why: string | RegExp])[] = [
  ["location /api/ { return 404; }", /^There is no api\/v1\/stream here\./],
  ["location /api/ { proxy_pass http://127.0.0.1:1; }", "answers 502 Bad Gateway."],
  ["location /api/ { return 302 https://login.test/; }", "The server sends this page elsewhere."],
  ["location /api/ { default_type text/html; return 200 '<form></form>'; }", "it is text/html."],
];

for (const [location, why] of PROXIES) {
  Deno.test(`behind a proxy with ${location} the page says: ${why}`, async () => {
    await using fleet = new PlayedFleet();
    await using nginx = await startNginx({ server: `location / { proxy_pass ${fleet.url}; } ${location}` });
    await using browser = await Browser.open();
    const page = await browser.page(nginx.url);
    await page.getByRole("alert").getByText(why).waitFor();
  });
}

function answer(status: number, contentType: string, body: string): Response {
  return new Response(body, {
    status,
    statusText: "Bad Gateway",
    headers: { "content-type": contentType },
  });
}
