/**
 * Writes the generated parts of the documents anew: what stands between `<!-- begin NAME -->` and `<!-- end NAME -->`.
 * With `--check` it writes nothing and ends with 1 when a part is stale.
 */
import { parseMetricsOptions } from "../lib/cli/metrics_options.ts";
import { FAMILIES, familyLabels } from "../lib/exposition/families.ts";

const README = new URL("../README.md", import.meta.url);

/** The generated parts of the README by name. */
export function readmeParts(): Readonly<Record<string, string>> {
  return { flags: `\`\`\`\n${helpText()}\`\`\``, metrics: metricsTable() };
}

/** The text with its generated parts made anew. @throws when a part has no place in it */
export function withParts(text: string, parts: Readonly<Record<string, string>>): string {
  for (const [name, part] of Object.entries(parts)) {
    const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`README.md has no place for the part ${name}`);
    text = `${text.slice(0, from + begin.length)}\n\n${part}\n\n${text.slice(to)}`;
  }
  return text;
}

function helpText(): string {
  const help = parseMetricsOptions({ argv: ["--help"], env: {}, terminal: false, hostname: "host" });
  if (!("shown" in help)) throw new Error("--help shows nothing");
  return help.shown;
}

function metricsTable(): string {
  const rows = FAMILIES.map((family) =>
    `| \`${family.name}\` | ${family.type} | ${
      familyLabels(family).map((label) => `\`${label}\``).join(", ") || "–"
    } | ${family.help.replaceAll("|", "\\|")} |`
  );
  return ["| name | type | labels | what |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

if (import.meta.main) {
  const before = await Deno.readTextFile(README);
  const after = withParts(before, readmeParts());
  if (Deno.args.includes("--check")) {
    if (before !== after) {
      console.error("README.md is stale: run deno task docs");
      Deno.exit(1);
    }
  } else {
    await Deno.writeTextFile(README, after);
  }
}
