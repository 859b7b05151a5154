import assert from "node:assert/strict";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { NO_ENTRY_REJECTED, type ReadReply, readReply } from "../../lib/scrape/answer.ts";
import { slotsOf } from "../../lib/scrape/json_form.ts";
import { ReplyForm } from "../../lib/scrape/reply_form.ts";
import { ReplyReader } from "../../lib/scrape/reply_reader.ts";
import { at } from "../helpers/fleet_steps.ts";

const encoder = new TextEncoder();
const REQUEST = { request: 1, at: at(0) };

/** Captured replies with load of each shape, and where they were asked. */
const CAPTURES: readonly (readonly [file: string, service: string, endpoint: string])[] = [
  ["0.1.1/original-mock_worker", "dynamo_my_component_1854ce00", "my_endpoint"],
  ["0.1.1/worker", "dynamo_vllmworker_3f6fafd3", "load_metrics"],
  ["0.3.0/worker", "dynamo_vllmworker", "load_metrics"],
  ["0.3.2/original-mock_worker", "dynamo_mycomponent", "my_endpoint"],
  ["0.6.0/worker", "dynamo_vllmworker", "load_metrics"],
];

/** As a scraper reads it. */
function read(reader: ReplyReader, data: Uint8Array): ReadReply {
  const answer = reader.known(data, REQUEST);
  if (answer === undefined) return reader.learn(data, REQUEST);
  return { answers: [answer], rejectedEntries: NO_ENTRY_REJECTED };
}

function captured(folder: string, reply = 1): Uint8Array {
  return Deno.readFileSync(
    new URL(`../testdata/captures/${folder}/stats-reply-${reply}.json`, import.meta.url),
  );
}

for (const [folder, service, endpoint] of CAPTURES) {
  const origin = { service, endpoint };

  Deno.test(`the replies ${folder} share a form, which reads them as the general reader does`, () => {
    const data = captured(folder);
    const [answer] = readReply(data, { ...origin, ...REQUEST }).answers;
    assert.ok(answer?.outcome.kind === "load");
    const { worker, serviceVersion, outcome, endpoints } = answer;
    const form = ReplyForm.learn(data, { worker, serviceVersion, outcome, endpoints }, origin);
    assert.ok(form !== undefined);
    const reader = new ReplyReader(origin);
    for (const reply of [1, 2, 1]) {
      const bytes = captured(folder, reply);
      assert.deepEqual(read(reader, bytes), readReply(bytes, { ...origin, ...REQUEST }));
    }
  });

  Deno.test(`whatever is changed in a reply ${folder}, it is read as the general reader does`, () => {
    const reader = new ReplyReader(origin);
    read(reader, captured(folder));
    let changed = 0;
    for (const text of mutations(new TextDecoder().decode(captured(folder)))) {
      const bytes = encoder.encode(text);
      assert.deepEqual(read(reader, bytes), readReply(bytes, { ...origin, ...REQUEST }), text);
      changed++;
    }
    assert.ok(changed > 3_000);
  });
}

/** Each value in turn, and random places, replaced by what a worker might write or a liar would. */
function* mutations(text: string): Generator<string> {
  const values = [
    "0",
    "7",
    "-1",
    "007",
    "2.0",
    "1e3",
    "1E-7",
    "0.1",
    "0.30000001192092896",
    "4.9e-324",
    "1.",
    ".5",
  ]
    .concat("999999999999999", "1000000000000000", "9007199254740993", "18446744073709551615", "1e400")
    .concat(
      "18446744073709551616",
      "null",
      "true",
      '""',
      '"x"',
      '"\\u0041"',
      '"é"',
      "[]",
      "{}",
      "{",
      "01",
      "+1",
    )
    .concat("0.333333343267440796", "0.33333335816860199", "0.12345678901234567890123", "4294967296", "");
  for (const { start, end } of slotsOf(encoder.encode(text))!) {
    for (const value of values) yield text.slice(0, start) + value + text.slice(end);
  }
  const generator = xoroshiro128plus(7);
  const bytes = '0123456789abcdefABCDEF{}[]",:.-+eE\\\t \u00e9';
  for (let n = 0; n < 3_000; n++) {
    const place = uniformInt(generator, 0, text.length);
    const end = place + uniformInt(generator, 0, 2);
    yield text.slice(0, place) + bytes[uniformInt(generator, 0, bytes.length - 1)]! + text.slice(end);
  }
}

Deno.test("fractions become the 32-bit number that the general reader makes of them", () => {
  const [folder, service, endpoint] = CAPTURES[4]!;
  const origin = { service, endpoint };
  const text = new TextDecoder().decode(captured(folder));
  const reader = new ReplyReader(origin);
  read(reader, encoder.encode(text));
  const generator = xoroshiro128plus(11);
  const view = new DataView(new ArrayBuffer(4));
  for (let n = 0; n < 20_000; n++) {
    view.setUint32(0, uniformInt(generator, 0x3000_0000, 0x3f80_0000)); // To 1.
    const low = view.getFloat32(0);
    view.setUint32(0, view.getUint32(0) + 1);
    const middle = (low + view.getFloat32(0)) / 2;
    for (const ratio of [String(low), middle.toFixed(17), middle.toFixed(22), String(middle)]) {
      const bytes = encoder.encode(text.replace(/("gpu_cache_usage_perc":)[\d.]+/, `$1${ratio}`));
      assert.deepEqual(read(reader, bytes), readReply(bytes, { ...origin, ...REQUEST }), ratio);
    }
  }
});

Deno.test("replies of more forms than are kept are read all the same", () => {
  const origin = { service: "dynamo_c", endpoint: "e" };
  const reader = new ReplyReader(origin);
  for (let n = 0; n < 2_500; n++) {
    const data =
      `{"request_active_slots":1,"request_total_slots":2,"kv_active_blocks":${n},"kv_total_blocks":9}`;
    const bytes = encoder.encode(
      `{"x${n % 20}":1,"version":"0.0.1","endpoints":[{"subject":"dynamo_c.e-${
        n.toString(16)
      }","data":${data}}]}`,
    );
    const one = read(reader, bytes);
    assert.deepEqual(one, readReply(bytes, { ...origin, ...REQUEST }));
    assert.equal(one.answers.length, 1);
  }
});

Deno.test("a form is learned from no text that is not JSON, names a field twice, or has an escape", () => {
  for (const text of ["", "{", '{"a":1,"a":2}', '{"a":"\\n"}', '{"\u00e9":1}', "{}x"]) {
    assert.equal(slotsOf(encoder.encode(text)), undefined, text);
  }
});

Deno.test("a reply with load is read however deep something else in it is", () => {
  const origin = { service: "dynamo_c", endpoint: "e" };
  const data = '{"request_active_slots":1,"request_total_slots":2,"kv_active_blocks":3,"kv_total_blocks":9}';
  for (const depth of [1, 40, 5_000, 20_000]) {
    const deep = `${"[".repeat(depth)}${"]".repeat(depth)}`;
    const reply = `{"x":${deep},"version":"0.0.1","endpoints":[{"subject":"dynamo_c.e-a1","data":${data}}]}`;
    const bytes = encoder.encode(reply);
    const reader = new ReplyReader(origin);
    for (let n = 0; n < 2; n++) {
      assert.deepEqual(read(reader, bytes), readReply(bytes, { ...origin, ...REQUEST }));
      assert.equal(read(reader, bytes).answers.length, 1);
    }
  }
});

Deno.test("slots are found where they stand", () => {
  const text = ' { "a" : [ 1 , "b" , { } , [ ] , null , true , false , -2.5e3 ] , "c" : { "d" : "" } } ';
  const found = slotsOf(encoder.encode(text))!.map(({ kind, path, start, end }) => [
    kind,
    path.join("/"),
    text.slice(start, end),
  ]);
  assert.deepEqual(found, [
    ["number", "a/0", "1"],
    ["text", "a/1", "b"],
    ["number", "a/7", "-2.5e3"],
    ["text", "c/d", ""],
  ]);
});
