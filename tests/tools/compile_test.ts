import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { V8_FLAGS } from "../../tools/v8_flags.ts";

// The base runtime that deno compile downloads is not had everywhere; the deno executable stands in for it, which builds
// and embeds everything but makes no file that runs as the program.

Deno.test("both programs are built, with the file that etcd3 reads when it runs, without what is for tests, and their checksums are right", async () => {
  const out = await Deno.makeTempDir({ prefix: "compile-" });
  try {
    await task("compile", { args: ["--out", out], env: { DENORT_BIN: Deno.execPath() } });
    const proto = await Deno.readFile(new URL("../../node_modules/etcd3/proto/rpc.proto", import.meta.url));
    const config = await Deno.readFile(new URL("../../deno.json", import.meta.url));
    const unused = await Promise.all(
      [
        "zeromq/LICENSE.txt",
        "preact/LICENSE",
        "esbuild/lib/main.js",
        "playwright-core/index.js",
        "@types/react/index.d.ts",
      ].map(async (
        path,
      ) => ({
        path,
        bytes: await Deno.readFile(new URL(`../../node_modules/${path}`, import.meta.url)),
      })),
    );
    const page = await Deno.readFile(new URL("../../lib/web/assets/app.js", import.meta.url));
    for (const name of ["metrics", "mock_worker"]) {
      const file = Buffer.from(await Deno.readFile(`${out}/${name}`));
      assert.ok(file.includes(proto), `${name} does not hold rpc.proto`);
      assert.ok(file.includes(config), `${name} does not hold deno.json`);
      for (const { path, bytes } of unused) assert.ok(!file.includes(bytes), `${name} holds ${path}`);
      assert.ok(file.includes(page), `${name} does not hold the page`);
      for (const flag of V8_FLAGS.slice("--v8-flags=".length).split(",")) {
        assert.ok(file.includes(`"${flag}"`), `${name} is not run with ${flag}`);
      }
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

Deno.test("smoke accepts the programs as they are, and says which is not there", async () => {
  const dir = await Deno.makeTempDir({ prefix: "smoke-" });
  try {
    for (const [name, script] of [["metrics", "main.ts"], ["mock_worker", "mock_worker.ts"]] as const) {
      const { pathname } = new URL(`../../${script}`, import.meta.url);
      const line = `exec "${Deno.execPath()}" run -A --no-check "${pathname}" "$@"`;
      await Deno.writeTextFile(`${dir}/${name}`, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
    }
    await task("smoke", { args: [dir], env: {} });
    await Deno.remove(`${dir}/mock_worker`);
    assert.deepEqual(await ended("smoke", [dir]), {
      code: 1,
      err: `error: ${dir}/mock_worker is not there\n`,
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("usage errors of compile and smoke are one line, exit code 2", async () => {
  for (
    const [name, ...args] of [
      ["compile", "--nope"],
      ["compile", "extra"],
      ["compile", "--target", "amiga"],
      ["compile", "--out", ""],
      ["smoke", "a", "b"],
      ["smoke", "--nope"],
    ] as const
  ) {
    const { code, err } = await ended(name, args);
    assert.equal(code, 2, `${name} ${args.join(" ")}`);
    assert.match(err, /^error: [^\n]+\n$/);
  }
});

async function ended(name: string, args: readonly string[]): Promise<{ code: number; err: string }> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "-q", name, ...args],
    cwd: new URL("../..", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  return { code, err: new TextDecoder().decode(stderr) };
}

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
