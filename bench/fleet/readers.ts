/**
 * Readers in one process, each with a connection of its own, that read a page as fast as it comes. Told how many in JSON,
 * its only argument; each line on its input, `URL plain|gzip MILLISECONDS`, is one load, answered with what came.
 */
import { answerLines } from "../child.ts";
import { HttpReader } from "../http_reader.ts";

export interface ReadersReport {
  readonly perSecond: number;
  readonly bytes: number;
  /** `content-encoding` of what came. */
  readonly encoding: string | undefined;
}

const { readers } = JSON.parse(Deno.args[0]!) as { readers: number };
await answerLines((line) => {
  const [url = "", form, ms] = line.split(" ");
  return load(url, { gzip: form === "gzip", ms: Number(ms) });
});

async function load(url: string, { gzip, ms }: { gzip: boolean; ms: number }): Promise<ReadersReport> {
  const request = HttpReader.request(url, { gzip });
  let [read, bytes] = [0, 0];
  let encoding: string | undefined;
  const endMs = performance.now() + ms;
  const startMs = performance.now();
  await Promise.all(Array.from({ length: readers }, async () => {
    using reader = await HttpReader.connect(url);
    while (performance.now() < endMs) {
      const { status, encoding: came, body } = await reader.read(request);
      if (status !== 200) throw new Error(`${url} answers ${status}`);
      read++;
      bytes = body.length;
      encoding = came;
    }
  }));
  return { perSecond: read / ((performance.now() - startMs) / 1_000), bytes, encoding };
}
