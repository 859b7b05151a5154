import assert from "node:assert/strict";
import { WatchedFile } from "../../lib/transport/watched_file.ts";
import { eventually } from "../helpers/eventually.ts";
import { logLines } from "../helpers/log_lines.ts";

const log = logLines("info");

/** The lines of the log about this path, without their time and the path. */
function logged(path: string): string[] {
  return log.filter((line) => line.includes(path)).map((line) =>
    line.replace(/^\S+ +/, "").replace(path, "PATH").trimEnd()
  );
}

function watch(path: string) {
  const texts: string[] = [];
  const file = new WatchedFile({
    path,
    what: "the list",
    onText: (text) => texts.push(text),
    signal: new AbortController().signal,
    rereadMs: 5,
  });
  return { texts, [Symbol.dispose]: () => file[Symbol.dispose]() };
}

Deno.test("a pipe, a device and a folder are no files to read, and one put into their place is read", async () => {
  const folder = await Deno.makeTempDir();
  const make: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
    pipe: (path) => new Deno.Command("mkfifo", { args: [path] }).output(),
    device: (path) => Deno.symlink("/dev/zero", path),
    folder: (path) => Deno.mkdir(path),
  };
  for (const [name, put] of Object.entries(make)) {
    const path = `${folder}/${name}`;
    await put(path);
    using watched = watch(path);
    await eventually(() =>
      assert.match(logged(path).join("\n"), /^WARN .*Cannot read the list.* cause="not a regular file"$/)
    );
    await Deno.remove(path);
    await Deno.writeTextFile(path, "text");
    await eventually(() => assert.deepEqual(watched.texts, ["text"]));
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a list that is too long is warned of in words that stay the same while it grows", async () => {
  const path = await Deno.makeTempFile();
  await Deno.truncate(path, 16 * 1024 * 1024 + 1);
  using watched = watch(path);
  await eventually(() => assert.match(logged(path).join("\n"), /^WARN .* cause="more than 16777216 bytes"$/));
  await Deno.writeTextFile(path, "short");
  await eventually(() => assert.deepEqual(watched.texts, ["short"]));
  await Deno.remove(path);
});

Deno.test("a file whose size says nothing is read", async () => {
  using watched = watch("/proc/self/cmdline");
  await eventually(() => assert.match(watched.texts.join(""), /deno/));
});
