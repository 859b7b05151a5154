import { configureLogging, parseLogFilter } from "../../lib/log.ts";

/** The lines of the log from now on, as text. */
export function logLines(filter = ""): string[] {
  const lines: string[] = [];
  configureLogging(
    { program: "metrics", filter: parseLogFilter(filter), format: "text", localTime: false, colors: false },
    (line) => lines.push(line),
  );
  return lines;
}
