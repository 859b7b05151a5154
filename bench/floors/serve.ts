/** The least that a page can cost to serve: a bare `Deno.serve` with bytes that never change. Told the file that has them. */
import { answerLines } from "../child.ts";

const { page, encoding } = JSON.parse(Deno.args[0]!) as { page: string; encoding?: string };
const bytes = await Deno.readFile(page);
const headers = {
  "content-type": "text/plain; version=0.0.4; charset=utf-8",
  "content-length": String(bytes.length),
  ...(encoding && { "content-encoding": encoding }),
};
const server = Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: () => {} },
  () => new Response(bytes, { headers }),
);
await answerLines(() => ({ port: server.addr.port }));
