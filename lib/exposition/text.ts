import { type Format, sampleLines } from "./sample.ts";

/** The media type of the text format 0.0.4. */
export const TEXT_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The text format 0.0.4. */
export const TEXT: Format = {
  name: "text",
  header: ({ name, type, help }) => `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`,
  samples: sampleLines,
  end: "",
};

/** Backslashes and line feeds in help text, escaped as the text format asks. */
function escapeHelp(help: string): string {
  return help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
