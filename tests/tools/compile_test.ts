import { Buffer } from "node:buffer";
import assert from "node:assert/strict";

// The base runtime that deno compile downloads is not had everywhere; the deno executable stands in for it, which builds
// and embeds everything but makes no file that runs as the program.

Deno.test("both programs are built, with the file that etcd3 reads when it runs, and their checksums are right", async () => {
  const out = await Deno.makeTempDir({ prefix: "compile-" });
  try {
    await task("compile", { args: ["--out", out], env: { DENORT_BIN: Deno.execPath() } });
    const proto = await Deno.readFile(new URL("../../node_modules/etcd3/proto/rpc.proto", import.meta.url));
    for (const name of ["metrics", "mock_worker"]) {
      const file = Buffer.from(await Deno.readFile(`${out}/${name}`));
      assert.ok(file.includes(proto), `${name} does not hold rpc.proto`);
    }
    await task("checksums", { args: [out], env: {} });
    const { success } = await new Deno.Command("sha256sum", {
      args: ["--check", "--quiet", "SHA256SUMS"],
      cwd: out,
    })
      .output();
    assert.ok(success);
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

Deno.test("smoke refuses a folder without executables", async () => {
  await assert.rejects(task("smoke", { args: ["/nonexistent"], env: {} }));
});

async function task(
  name: string,
  { args, env }: { args: string[]; env: Record<string, string> },
): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "-q", name, ...args],
    cwd: new URL("../..", import.meta.url),
    env,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr).slice(-2_000));
}
