import assert from "node:assert/strict";
import { ListedStrangers } from "../../lib/discovery/listed_strangers.ts";
import { NO_REGISTRATION } from "../../lib/discovery/membership.ts";
import { workerIdFromDecimal } from "../../lib/dynamo/worker_id.ts";
import { configureLogging, parseLogFilter } from "../../lib/log.ts";

const log: string[] = [];
configureLogging(
  { program: "metrics", filter: parseLogFilter("info"), format: "text", localTime: false, colors: false },
  (line) => log.push(line.replace(/^\S+ +/, "").trimEnd()),
);

const id = (n: number) => workerIdFromDecimal(String(n))!;
const listed = (...ids: number[]) =>
  ids.map((n) => ({ url: `http://h:${n}/metrics`, host: "h", worker: id(n) }));
const registered = (...ids: number[]) => ({ workers: new Map(ids.map((n) => [id(n), NO_REGISTRATION])) });

Deno.test("a listed page of a worker that is not registered is said once, and again when such a worker has gone", () => {
  const strangers = new ListedStrangers();
  const said = (targets: number[], workers: number[]) => {
    strangers.note(listed(...targets), registered(...workers));
    return log.splice(0).map((line) =>
      /^INFO metrics::discovery: Pages .* not registered (.*)$/.exec(line)?.[1]
    );
  };
  assert.deepEqual(said([1, 2], [1, 2, 3]), []);
  assert.deepEqual(said([1, 2, 2], [1]), ["workers=1 ids=2"]);
  assert.deepEqual(said([1, 2], [1, 4]), []);
  assert.deepEqual(said([1, 2], [1, 2]), []);
  assert.deepEqual(said([1, 2], []), ["workers=2 ids=1,2"]);
  assert.deepEqual(said([1, 2, 3, 4, 5, 6, 7, 8], []), ["workers=6 ids=3,4,5,6,7,…"]);
  strangers.note([{ url: "http://h/metrics", host: "h", worker: undefined }], registered());
  assert.deepEqual(log, []);
});
