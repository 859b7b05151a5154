/**
 * What is out stays: series and their labels, fields of the API, flags and variables. Names may be added; none may go before
 * 1.0. UPDATE_GOLDEN=1 adds new names to the list, and takes none out.
 */
import assert from "node:assert/strict";
import { parseMetricsOptions } from "../lib/cli/metrics_options.ts";
import { parseMockOptions } from "../lib/cli/mock_options.ts";
import { parseTopOptions } from "../lib/cli/top_options.ts";
import type { Shown } from "../lib/cli/usage.ts";
import { FAMILIES } from "../lib/exposition/families.ts";
import { familyLabels } from "../lib/exposition/family.ts";

const LIST = new URL("testdata/published_names.txt", import.meta.url);
const SCHEMAS = new URL("../docs/api/", import.meta.url);
const HELP = { argv: ["--help"], env: {} };
const NO_TERMINALS = { stdin: false, stdout: false, stderr: false };

Deno.test("no published name is gone, and every new one is on the list", async () => {
  const published = (await Deno.readTextFile(LIST).catch(() => "")).split("\n").filter(Boolean);
  const names = new Set([...series(), ...await fields(), ...flags()]);
  assert.deepEqual(published.filter((name) => !names.has(name)), [], "published names are gone");
  const all = [...new Set([...published, ...names])].toSorted();
  if (Deno.env.get("UPDATE_GOLDEN") === "1") return await Deno.writeTextFile(LIST, `${all.join("\n")}\n`);
  assert.deepEqual(published, all, "new names are added with UPDATE_GOLDEN=1");
});

/** `series NAME TYPE label,label` */
function series(): string[] {
  return FAMILIES.map((family) => `series ${family.name} ${family.type} ${familyLabels(family).join()}`);
}

/** `api FILE.field[].field`, and the values that a field may have. */
async function fields(): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name } of Deno.readDir(SCHEMAS)) {
    const schema = JSON.parse(await Deno.readTextFile(new URL(name, SCHEMAS)));
    collect(schema, `api ${name.replace(".schema.json", "")} `, paths);
  }
  return paths;
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly enum?: readonly string[];
}

function collect({ properties, $defs, items, enum: values }: Schema, path: string, paths: string[]): void {
  for (const value of values ?? []) paths.push(`${path}=${value}`);
  if (items) collect(items, `${path}[]`, paths);
  for (const [name, schema] of Object.entries({ ...properties, ...$defs })) {
    const below = `${path}${path.endsWith(" ") ? "" : "."}${name}`;
    paths.push(below);
    collect(schema, below, paths);
  }
}

/** `flag PROGRAM --flag VALUE` and `variable PROGRAM NAME`, as `--help` says them. */
function flags(): string[] {
  const texts: readonly (readonly [program: string, help: object])[] = [
    ["metrics", parseMetricsOptions({ ...HELP, hostname: "host", terminal: false })],
    ["top", parseTopOptions({ ...HELP, terminals: NO_TERMINALS })],
    ["mock_worker", parseMockOptions({ ...HELP, terminal: false })],
  ];
  return texts.flatMap(([program, help]) => {
    const { shown } = help as Shown;
    const flags = [...shown.matchAll(/^ {2}(--[\w-]+(?: [A-Z][\w|]*)?)/gm)];
    const variables = [...shown.matchAll(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g)];
    return [
      ...flags.map(([, flag]) => `flag ${program} ${flag}`),
      ...new Set(variables.map(([variable]) => `variable ${program} ${variable}`)),
    ];
  });
}
