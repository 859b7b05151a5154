import assert from "node:assert/strict";
import {
  between,
  compare,
  exactly,
  isRight,
  type Known,
  type Shown,
  tableText,
  toldAs,
} from "../../tools/interop/comparison.ts";

const ROWS: readonly (readonly [what: string, known: Known[], shown: Shown[], row: string])[] = [
  ["one equal value", [exactly(12)], [12], "equal: 12: 12"],
  ["another value", [exactly(12)], [11], "DIFFERS: 12: 11"],
  ["nothing, where something is known", [exactly(0)], [undefined], "DIFFERS: 0: –"],
  ["something, where nothing is known", [exactly(undefined)], [0], "DIFFERS: –: 0"],
  ["nothing on both sides", [exactly(undefined)], [undefined], "equal: –: –"],
  ["no worker on both sides", [], [], "equal: –: –"],
  ["text for a number", [exactly(1)], ["1"], "DIFFERS: 1: 1"],
  ["a known value of all workers", [exactly(0), exactly(0)], [0, 0], "equal: 0 each: 0, 0"],
  ["values of the other worker", [exactly(1), exactly(2)], [2, 1], "DIFFERS: 1, 2: 2, 1"],
  ["a worker too few", [exactly("a"), exactly("b")], ["a"], "DIFFERS: a, b: a"],
  ["a worker too many", [exactly("a")], ["a", "b"], "DIFFERS: a: a, b"],
  ["the lower end", [between(1, 4)], [1], "within: 1 to 4: 1"],
  ["the upper end", [between(1, 4)], [4], "within: 1 to 4: 4"],
  ["below the lower end", [between(1, 4)], [0], "DIFFERS: 1 to 4: 0"],
  ["above the upper end", [between(1, 4)], [5], "DIFFERS: 1 to 4: 5"],
  ["nothing between two ends", [between(1, 4)], [undefined], "DIFFERS: 1 to 4: –"],
  ["ends that nobody said", [between(NaN, NaN)], [1], "DIFFERS: NaN to NaN: 1"],
  ["a ratio that is long", [exactly(0.123456789)], [0.123456789], "equal: 0.123457: 0.123457"],
  ["a ratio that differs late", [exactly(0.123456789)], [0.1234567], "DIFFERS: 0.123457: 0.123457"],
  ["a release told exactly", [toldAs("0.3.2")], ["0.3.2"], "within: 0.3.2: 0.3.2"],
  ["a release told as the next", [toldAs("0.3.2")], ["0.3.1"], "DIFFERS: 0.3.2: 0.3.1"],
  ["a release in a range", [toldAs("0.10.0")], ["0.9.1-1.0.2"], "within: 0.10.0: 0.9.1-1.0.2"],
  ["a release after a range", [toldAs("1.1.1")], ["0.9.1-1.0.2"], "DIFFERS: 1.1.1: 0.9.1-1.0.2"],
  ["a release before a range", [toldAs("0.9.0")], ["0.9.1-1.0.2"], "DIFFERS: 0.9.0: 0.9.1-1.0.2"],
  ["a release after one", [toldAs("1.6.1")], ["1.4.2+"], "within: 1.6.1: 1.4.2+"],
  ["a release before one", [toldAs("1.2.1")], ["1.4.2+"], "DIFFERS: 1.2.1: 1.4.2+"],
  ["a release that is not told", [toldAs("1.2.1")], [undefined], "DIFFERS: 1.2.1: –"],
];

for (const [what, known, shown, expected] of ROWS) {
  Deno.test(`interop compares ${what}`, () => {
    const row = compare("fact", known, shown);
    assert.equal(`${row.verdict}: ${row.known}: ${row.shown}`, expected);
    assert.equal(isRight(row), !expected.startsWith("DIFFERS"));
  });
}

Deno.test("interop's table has a head and columns", () => {
  const rows = [
    compare("slots", [exactly(4), exactly(5)], [4, 5]),
    compare("KV blocks in use", [between(1, 2_000)], [2_001]),
  ];
  assert.equal(
    tableText(rows),
    [
      "  verdict  what              known      shown",
      "  equal    slots             4, 5       4, 5",
      "  DIFFERS  KV blocks in use  1 to 2000  2001",
    ].join("\n"),
  );
});

Deno.test("without Python 3.12 interop says of each run that it was not run, and fails", async () => {
  const { code, lines } = await interop(["--python", "/nowhere/python3.12"]);
  assert.equal(code, 1);
  const runs = lines.filter((line) => line.startsWith("ai-dynamo "));
  const reasons = lines.filter((line) => line.startsWith("  NOT RUN: Cannot run /nowhere/python3.12: "));
  assert.ok(runs.length > 0);
  assert.equal(reasons.length, runs.length);
  assert.equal(lines.at(-1), `0 of 0 rows as known; 0 of ${runs.length} runs to the end`);
});

for (const args of [["--only", "engine"], ["--", "--only", "engine"]]) {
  Deno.test(`interop ${args.join(" ")} runs the real engine, and nothing else`, async () => {
    const { lines } = await interop([...args, "--python", "/nowhere/python3.12"]);
    const runs = lines.filter((line) => line.startsWith("ai-dynamo "));
    assert.equal(runs.length, 1);
    assert.match(runs[0]!, /^ai-dynamo 1\.6\.1: frontend and vLLM 0\.31\.0 /);
  });
}

for (const args of [[], ["--only", "1.6.1"]]) {
  Deno.test(`interop ${args.join(" ")} runs no real engine, which nobody asked for`, async () => {
    const { lines } = await interop([...args, "--python", "/nowhere/python3.12"]);
    assert.deepEqual(lines.filter((line) => line.includes("vLLM")), []);
  });
}

Deno.test("interop --help says what --only takes, and what the engine costs", async () => {
  const { code, lines } = await interop(["--help"]);
  assert.equal(code, 0);
  const [releases, engine, costs] = lines.slice(2);
  assert.match(releases!, /^ {2}--only RELEASE {2}.*: 0\.1\.1, .*, 1\.6\.1$/);
  assert.match(`${engine} ${costs}`, /^ {2}--only engine .* downloads 3 GB/);
});

const REFUSED: readonly (readonly [args: string[], message: string])[] = [
  [
    ["--only", "9.9.9"],
    "error: --only must be one of 0.1.1, 0.3.2, 0.5.1, 0.7.1, 1.2.1, 1.4.2, 1.6.1, engine (a real vLLM; downloads 3 GB)",
  ],
  [["--hold"], "error: --hold needs --only engine"],
  [["--only", "1.6.1", "--hold"], "error: --hold needs --only engine"],
  [["--fast"], "error: Unknown option '--fast'"],
];

for (const [args, message] of REFUSED) {
  Deno.test(`interop refuses ${args.join(" ")}`, async () => {
    const { code, errors } = await interop(args);
    assert.deepEqual([code, errors], [2, message]);
  });
}

async function interop(args: readonly string[]): Promise<{ code: number; lines: string[]; errors: string }> {
  const script = new URL("../../tools/interop.ts", import.meta.url).href;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, ...args],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trimEnd();
  return { code, lines: text(stdout).split("\n"), errors: text(stderr) };
}
