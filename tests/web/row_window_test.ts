import assert from "node:assert/strict";
import { drawn } from "../../web/row_window.ts";

const DRAWN: readonly (readonly [of: Parameters<typeof drawn>[0], pieces: readonly (number | string)[]])[] = [
  [{ first: 0, last: 3, focused: undefined, count: 3 }, [0, 1, 2]],
  [{ first: 0, last: 0, focused: undefined, count: 0 }, []],
  [{ first: 0, last: 2, focused: 1, count: 9 }, [0, 1, "7 below"]],
  [{ first: 4, last: 6, focused: undefined, count: 9 }, ["4 first", 4, 5, "3 below"]],
  [{ first: 4, last: 6, focused: 1, count: 9 }, ["1 above", 1, "2 first", 4, 5, "3 below"]],
  [{ first: 4, last: 6, focused: 0, count: 9 }, [0, "3 first", 4, 5, "3 below"]],
  [{ first: 4, last: 6, focused: 3, count: 9 }, ["3 above", 3, 4, 5, "3 below"]],
  [{ first: 4, last: 6, focused: 8, count: 9 }, ["4 first", 4, 5, "2 last", 8]],
  [{ first: 4, last: 6, focused: 6, count: 9 }, ["4 first", 4, 5, 6, "2 below"]],
];

for (const [of, pieces] of DRAWN) {
  Deno.test(`of ${JSON.stringify(of)} is drawn: ${pieces.join(", ")}`, () => {
    const said = drawn(of).map((piece) => "row" in piece ? piece.row : `${piece.gap} ${piece.key}`);
    assert.deepEqual(said, pieces);
    const height = drawn(of).reduce((sum, piece) => sum + ("row" in piece ? 1 : piece.gap), 0);
    assert.equal(height, of.count);
  });
}
