/**
 * The least that a page can cost: the same samples added to one string, label text prepared, then made bytes. Told the
 * file of a page; each line on its input makes the page once, with other numbers, and is answered with the milliseconds.
 */
import { answerLines } from "../child.ts";

const { page } = JSON.parse(Deno.args[0]!) as { page: string };
const lines = (await Deno.readTextFile(page)).trimEnd().split("\n");
/** What stands before each number: name and labels, and the family's comments where they are due. */
const heads: string[] = [];
const values: number[] = [];
let comments = "";
for (const line of lines) {
  if (line.startsWith("#")) {
    comments += `${line}\n`;
    continue;
  }
  const space = line.lastIndexOf(" ") + 1;
  heads.push(comments + line.slice(0, space));
  values.push(Number(line.slice(space)));
  comments = "";
}
const encoder = new TextEncoder();
let turn = 0;
await answerLines(() => {
  turn++;
  const numbers = values.map((value) => Number.isInteger(value) ? value + turn : value * (1 + turn / 1_024));
  const startMs = performance.now();
  let text = "";
  for (let n = 0; n < heads.length; n++) text += heads[n]! + numbers[n]! + "\n";
  const textMs = performance.now() - startMs;
  const bytes = encoder.encode(text).length;
  return { ms: performance.now() - startMs, textMs, bytes, series: heads.length };
});
