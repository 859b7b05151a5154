import assert from "node:assert/strict";
import { configureLogging, logger, type LogOptions, parseLogFilter } from "../lib/log.ts";

/** The lines that `say` makes with these settings. */
function lines(options: Partial<LogOptions> & { filter?: LogOptions["filter"] }, say: () => void): string[] {
  const written: string[] = [];
  configureLogging({
    program: "metrics",
    filter: parseLogFilter("trace"),
    format: "text",
    localTime: false,
    colors: false,
    ...options,
  }, (line) => written.push(line));
  say();
  return written;
}

const TIME = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}`;

Deno.test("a line has the original's form: time to the microsecond, level, target, message, fields", () => {
  const [first, second, third] = lines({}, () => {
    logger().info("Scraping endpoint a/b/c for stats");
    logger("scrape").debug("Round", { target: "a/b/c", replies: 3, cause: 'no "room"' });
    logger().warn("gone");
  });
  assert.match(first!, new RegExp(`^${TIME}Z  INFO metrics: Scraping endpoint a/b/c for stats\n$`));
  assert.match(
    second!,
    new RegExp(`^${TIME}Z DEBUG metrics::scrape: Round target=a/b/c replies=3 cause="no \\\\"room\\\\""\n$`),
  );
  assert.match(third!, new RegExp(`^${TIME}Z  WARN metrics: gone\n$`));
});

Deno.test("text from outside stays on its line, without control characters, and is cut", () => {
  const [line] = lines({}, () => logger().info("said", { text: `a\nb\u001b[31m\u2028${"x".repeat(9_000)}` }));
  assert.equal(line!.trimEnd().split(/\n|\u2028/).length, 1);
  assert.match(line!, /text=a\\nb\\u001b\[31m\\u2028x+…\n$/);
  assert.ok(line!.length < 700);
});

Deno.test("JSON lines have time, level, target, message and the fields", () => {
  const [line] = lines({ format: "jsonl" }, () => logger("events").warn("heard", { count: 2, text: "a\nb" }));
  const { time, ...rest } = JSON.parse(line!);
  assert.match(time, new RegExp(`^${TIME}Z$`));
  assert.deepEqual(rest, {
    level: "WARN",
    target: "metrics::events",
    message: "heard",
    count: 2,
    text: "a\nb",
  });
});

Deno.test("local time has its offset", () => {
  const [line] = lines({ localTime: true }, () => logger().info("x"));
  assert.match(line!, new RegExp(`^${TIME}[+-]\\d\\d:\\d\\d  INFO`));
});

Deno.test("colours are there when they are asked for, and only then", () => {
  const plain = lines({}, () => logger().info("x"))[0]!;
  const coloured = lines({ colors: true }, () => logger().info("x"))[0]!;
  // deno-lint-ignore no-control-regex
  assert.equal(/\u001b\[/.test(plain), false);
  // deno-lint-ignore no-control-regex
  assert.match(coloured, /\u001b\[32m INFO\u001b\[0m/);
});

const filters: readonly [text: string, said: readonly string[]][] = [
  ["info", ["metrics INFO", "metrics WARN", "metrics::scrape WARN"]],
  ["WARN", ["metrics WARN", "metrics::scrape WARN"]],
  ["off", []],
  ["metrics::scrape=debug", [
    "metrics INFO",
    "metrics WARN",
    "metrics::scrape DEBUG",
    "metrics::scrape WARN",
  ]],
  ["error,metrics::scrape=warn", ["metrics::scrape WARN"]],
  ["off,metrics::scrape", ["metrics::scrape DEBUG", "metrics::scrape WARN"]],
  ["warn,metrics=off,metrics::scrape=warn", ["metrics::scrape WARN"]],
  ["warn,other=debug", ["metrics WARN", "metrics::scrape WARN"]],
  ["nonsense=,=,metrics::scrape=loud,[span],warn", ["metrics WARN", "metrics::scrape WARN"]],
];

for (const [text, said] of filters) {
  Deno.test(`DYN_LOG=${text} lets through ${said.join(", ") || "nothing"}`, () => {
    const written = lines({ filter: parseLogFilter(text) }, () => {
      logger().debug("x");
      logger().info("x");
      logger().warn("x");
      logger("scrape").debug("x");
      logger("scrape").warn("x");
    });
    const heads = written.map((line) => line.trim().split(/\s+/)).map(([, level, target]) =>
      `${target!.replace(/:$/, "")} ${level}`
    );
    assert.deepEqual(heads, said);
  });
}
