import assert from "node:assert/strict";
import { KeyTroubles } from "../../lib/discovery/key_troubles.ts";
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
  const troubles = new KeyTroubles();
  const said = (targets: number[], workers: number[]) => {
    troubles.noteStrangers(listed(...targets), registered(...workers));
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
  troubles.noteStrangers([{ url: "http://h/metrics", host: "h", worker: undefined }], registered());
  assert.deepEqual(log, []);
});

Deno.test("workers without a host, and workers whose keys contradict each other, are said once each", () => {
  const troubles = new KeyTroubles();
  const contradicts = (...ids: number[]) => ({
    workers: new Map(ids.map((n) => [id(n), { ...NO_REGISTRATION, releases: 0 }])),
  });
  const said = (act: () => void) => {
    act();
    return log.splice(0).map((line) => line.replace(/^(\w+) \S+ (.).*?(workers=.*)$/, "$1 $2 $3"));
  };
  assert.deepEqual(said(() => troubles.noteUnaddressed([])), []);
  assert.deepEqual(said(() => troubles.noteUnaddressed([id(1), id(2)])), ["WARN T workers=2 ids=1,2"]);
  assert.deepEqual(said(() => troubles.noteUnaddressed([id(2), id(3)])), ["WARN T workers=1 ids=3"]);
  assert.deepEqual(said(() => troubles.noteContradictions(registered(1))), []);
  assert.deepEqual(said(() => troubles.noteContradictions(contradicts(1))), ["WARN T workers=1 ids=1"]);
  assert.deepEqual(said(() => troubles.noteContradictions(contradicts(1))), []);
});
