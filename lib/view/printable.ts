/** Text from outside as people may see it. The page and the terminal show the same. */

/**
 * What is not seen, or changes how other text is seen: controls and line breaks, marks that turn the direction of writing,
 * characters without a width or without a shape, and spaces that are none of the usual ones. Variation selectors behind a
 * picture belong to it.
 */
const UNSEEN =
  /(?<!\p{Extended_Pictographic})[\ufe0e\ufe0f]|(?![\ufe0e\ufe0f])[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?![ \u3000])\p{Zs}/gu;

/** Each character that is not seen, or that a terminal would obey, as `\ufffd`. */
export function printable(text: string): string {
  return text.replace(UNSEEN, "\ufffd");
}

/** An id in at most nine characters: the end of a long one, by which neighbours differ. */
export function shortId(id: string): string {
  return id.length > 9 ? `…${id.slice(-6)}` : id;
}

/** A name from outside: one that is empty, or of spaces alone, is said to be that. */
export function shownName(name: string): string {
  if (name === "") return "(empty)";
  return /^[ \u3000]+$/.test(name) ? "(blank)" : printable(name);
}
