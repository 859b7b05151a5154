/** A label and its value. */
export type Label = readonly [name: string, value: string];

/** The labels as they stand between braces, values escaped. */
export function labelsText(labels: readonly Label[]): string {
  let text = "";
  for (const [name, value] of labels) text += `${text && ","}${name}="${escapeValue(value)}"`;
  return text;
}

/** A label value's backslashes, quotes and line feeds, escaped as both formats ask. */
export function escapeValue(value: string): string {
  return /[\\"\n]/.test(value)
    ? value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
    : value;
}
