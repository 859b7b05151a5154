import assert from "node:assert/strict";
import { Program } from "../../tools/program.ts";

const DEAF = `
  Deno.addSignalListener("SIGTERM", () => console.error("heard"));
  setInterval(() => {}, 1_000);
  console.error("ready");
`;

Deno.test({
  name: "a program that does not heed SIGTERM is killed when patience ends",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const program = new Program({ command: Deno.execPath(), args: ["eval", DEAF], patienceMs: 200 });
    await program.logged(/ready/);
    assert.equal(await program.stop(), 128 + 9);
    assert.match(program.log, /heard/);
    assert.ok(program.ended);
    assert.equal(await program.stop(), 128 + 9);
  },
});
