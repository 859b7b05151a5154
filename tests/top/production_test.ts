import assert from "node:assert/strict";

Deno.test("the terminal runs on React's production build, whatever NODE_ENV says", async () => {
  Deno.env.set("NODE_ENV", "development");
  await import("../../lib/top/terminal.ts");
  const { default: react } = await import("react");
  assert.ok("createElement" in react);
  assert.ok(!("captureOwnerStack" in react)); // Which only the development build has.
});
