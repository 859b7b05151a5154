/** A label and its value. */
export type Label = readonly [name: string, value: string];

/** The labels as they stand between braces, values escaped. */
export function labelsText(labels: readonly Label[]): string {
  return labels.map(([name, value]) => `${name}="${escapeValue(value)}"`).join();
}

/** A label value's backslashes, quotes and line feeds, escaped as the text format asks. */
function escapeValue(value: string): string {
  return /[\\"\n]/.test(value)
    ? value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
    : value;
}
