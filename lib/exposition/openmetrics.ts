import type { Family } from "./family.ts";
import { type Format, sampleLines } from "./sample.ts";

/** The versions of OpenMetrics that readers ask for; a page is good as either. */
export type OpenMetricsVersion = "1.0.0" | "0.0.1";

/** The media type of OpenMetrics. */
export function openMetricsContentType(version: OpenMetricsVersion): string {
  return `application/openmetrics-text; version=${version}; charset=utf-8`;
}

/**
 * OpenMetrics 1.0.0. A counter's family is named without the `_total` of its samples. One whose samples do not end so, as
 * the original named two, is of an unknown type: as a counter a reader would add the `_total`, or refuse it.
 */
export const OPENMETRICS: Format = {
  name: "openmetrics",
  header(family) {
    const { name, type } = describe(family);
    const unit = UNITS.find((unit) => name.endsWith(`_${unit}`));
    return `# TYPE ${name} ${type}\n${unit === undefined ? "" : `# UNIT ${name} ${unit}\n`}# HELP ${name} ${
      escapeHelp(family.help)
    }\n`;
  },
  samples: sampleLines,
  end: "# EOF\n",
};

/** The units that names end in. */
const UNITS = ["seconds", "bytes", "ratio"];

function describe({ name, type }: Family): { readonly name: string; readonly type: string } {
  if (type !== "counter") return { name, type };
  return name.endsWith("_total")
    ? { name: name.slice(0, -"_total".length), type }
    : { name, type: "unknown" };
}

/** Backslashes, line feeds and quotes in help text, escaped as OpenMetrics asks. */
function escapeHelp(help: string): string {
  return help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
