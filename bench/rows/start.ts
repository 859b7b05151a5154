import { ownProgram, Program } from "../../tools/program.ts";
import { startEtcd } from "../../tools/servers/etcd.ts";
import { startNats } from "../../tools/servers/nats.ts";
import { freePorts } from "../../tools/servers/ports.ts";
import { HttpReader } from "../http_reader.ts";
import { ratios } from "../measure.ts";
import { TARGET_FLAGS } from "../programs/metrics.ts";
import type { Row } from "../row.ts";
import { pause } from "../scraping.ts";

/** From the start of the process to the first page, beside a program that does the least; all modules are in Deno's cache. */
export const START: Row = {
  name: "start",
  what: "start to the first 200 on /metrics, beside a program that imports npm:nats and opens Deno.serve",
  run: async ({ quick }) => {
    await using nats = await startNats();
    await using etcd = await startEtcd();
    const env = { NATS_SERVER: nats.url, ETCD_ENDPOINTS: etcd.url };
    const startOwn = (port: number) =>
      ownProgram("main.ts", { args: [...TARGET_FLAGS, "--port", String(port)], env });
    const startFloor = (port: number) =>
      new Program({
        command: Deno.execPath(),
        args: [
          ...["run", "-A", "--no-check", new URL("../floors/start.ts", import.meta.url).href],
          JSON.stringify({ port, nats: nats.url }),
        ],
      });
    for (const start of [startOwn, startFloor]) await firstPage(start); // So that the cache is warm.
    const own: number[] = [];
    const floor: number[] = [];
    for (let n = 0; n < (quick ? 4 : 25); n++) {
      own.push(await firstPage(startOwn));
      floor.push(await firstPage(startFloor));
    }
    return {
      measures: [
        { name: "start/ratio", unit: "ratio", values: ratios(own, floor) },
        { name: "start/own", unit: "ms", values: own },
        { name: "start/floor", unit: "ms", values: floor },
      ],
      cpu: {},
      remarks: [],
    };
  },
};

/** Starts a program on a free port; gives the milliseconds until its page was there, and ends it. @throws after 10 s */
async function firstPage(start: (port: number) => Program): Promise<number> {
  const [port = 0] = freePorts(1);
  const url = `http://127.0.0.1:${port}/metrics`;
  const request = HttpReader.request(url, { gzip: false });
  const startMs = performance.now();
  await using _ = start(port);
  while (performance.now() - startMs < 10_000) {
    try {
      using reader = await HttpReader.connect(url);
      if ((await reader.read(request)).status === 200) return performance.now() - startMs;
    } catch {
      // It is not there yet.
    }
    await pause(1);
  }
  throw new Error("no page within 10 s of the start");
}
