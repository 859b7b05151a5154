import assert from "node:assert/strict";
import { printable, shownName } from "../../lib/view/printable.ts";

const SHOWN: readonly (readonly [what: string, name: string, shown: string])[] = [
  ["a usual name", "Qwen/Qwen3-8B", "Qwen/Qwen3-8B"],
  ["names of other scripts", "模型 مدل नमूना é e\u0301", "模型 مدل नमूना é e\u0301"],
  ["a picture of two code points", "❤\ufe0f👍🏽", "❤\ufe0f👍🏽"],
  [
    "marks that turn the writing round",
    "\u202eevil\u202eledom/8B-3newQ\u2066\u200f",
    "�evil�ledom/8B-3newQ��",
  ],
  ["controls", "a\u0000b\u0007c\u001b[2Jd\u007fe\u0085f\u009bg", "a�b�c�[2Jd�e�f�g"],
  ["line breaks and tabs", "a\nb\r\nc\td\u2028e\u2029f\vg", "a�b��c�d�e�f�g"],
  ["characters without a width", "a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg\u034fh", "a�b�c�d�e�f�g�h"],
  ["letters without a shape", "a\u115fb\u3164c\uffa0d\u2800e", "a�b�c�d�e"],
  ["a variation selector behind a letter", "a\ufe0fb", "a�b"],
  ["tags that spell hidden text", "a\u{e0041}\u{e0042}", "a��"],
  ["spaces that are none of the usual ones", "a\u00a0b\u2003c\u202fd e", "a�b�c�d e"],
  ["half a character", "a\ud800b", "a�b"],
  ["an empty name", "", "(empty)"],
  ["a name of spaces", "  ", "(blank)"],
  ["a name of a space without a width", "\u200b", "�"],
  ["a name of a line break", "\n", "�"],
];

for (const [what, name, shown] of SHOWN) {
  Deno.test(`${what} is shown as ${shown}`, () => {
    assert.equal(shownName(name), shown);
    if (name.trim() !== "") assert.equal(printable(name), shown);
  });
}
