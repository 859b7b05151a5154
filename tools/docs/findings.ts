import { FINDING_KINDS } from "../../lib/findings/codes.ts";

/** What each code means and what to do, worst first. */
export function findingsTable(): string {
  const rows = Object.entries(FINDING_KINDS).map(([code, { severity, degrades, meaning, action }]) =>
    `| \`${code}\` | ${severity} | ${degrades ? "degraded" : ""} | ${meaning} | ${action} |`
  );
  return [
    "| code | severity | `/readyz` | what it means | what to do |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}
