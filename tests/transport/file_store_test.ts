import assert from "node:assert/strict";
import { mock } from "node:test";
import { parseFileName } from "../../lib/dynamo/file_name.ts";
import { FileStore } from "../../lib/transport/file_store.ts";
import { eventually } from "../helpers/eventually.ts";

const PREFIX = "v1/mdc/dynamo/backend/generate/";

function start(folder: string): FileStore {
  return new FileStore([{ prefix: PREFIX, withValues: true }], {
    folder,
    keyOf: parseFileName,
    signal: new AbortController().signal,
    rereadMs: 10,
  });
}

function values(store: FileStore): string[] {
  return [...store.entries(PREFIX)].map(([key, { value }]) => `${key.slice(PREFIX.length)} ${value}`)
    .toSorted();
}

Deno.test("files are keys: they come, change and go, and others are none", async () => {
  const folder = await Deno.makeTempDir();
  const cards = `${folder}/v1/mdc`;
  await Deno.mkdir(cards, { recursive: true });
  await Deno.writeTextFile(`${cards}/dynamo%2Fbackend%2Fgenerate%2Fa1`, "x");
  await Deno.writeTextFile(`${cards}/dynamo%2Fother%2Fgenerate%2Fa1`, "other");
  await Deno.writeTextFile(`${cards}/%zz`, "no key");
  await Deno.writeTextFile(`${folder}/file`, "no key");
  await using store = start(folder);
  await eventually(() => assert.deepEqual(values(store), ["a1 x"]));
  assert.ok(store.connected);
  await Deno.writeTextFile(`${cards}/dynamo%2Fbackend%2Fgenerate%2Fa1`, "longer");
  await Deno.writeTextFile(`${cards}/dynamo%2Fbackend%2Fgenerate%2Fa2`, "y");
  await eventually(() => assert.deepEqual(values(store), ["a1 longer", "a2 y"]));
  await Deno.remove(`${cards}/dynamo%2Fbackend%2Fgenerate%2Fa1`);
  await eventually(() => assert.deepEqual(values(store), ["a2 y"]));
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a folder that is not there leaves the last keys standing, and is read once it is", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/v1/mdc`, { recursive: true });
  await Deno.writeTextFile(`${folder}/v1/mdc/dynamo%2Fbackend%2Fgenerate%2Fa1`, "x");
  await using store = start(folder);
  await eventually(() => assert.deepEqual(values(store), ["a1 x"]));
  await Deno.rename(folder, `${folder}.away`);
  await eventually(() => assert.ok(!store.connected));
  assert.deepEqual(values(store), ["a1 x"]);
  await Deno.rename(`${folder}.away`, folder);
  await eventually(() => assert.ok(store.connected));
  await Deno.remove(folder, { recursive: true });
});

/** What the system says of a folder or a file that we may not read: root, who runs the tests, may read all. */
const denials: Readonly<Record<string, (denied: string) => void>> = {
  "a folder": (denied) => {
    const { readDir } = Deno;
    mock.method(Deno, "readDir", (path: string) => {
      if (path === denied) throw new Deno.errors.PermissionDenied("Permission denied (os error 13)");
      return readDir(path);
    });
  },
  "a file": (denied) => {
    const { open } = Deno;
    mock.method(Deno, "open", (path: string) => {
      if (path.startsWith(denied)) throw new Deno.errors.PermissionDenied("Permission denied (os error 13)");
      return open(path);
    });
  },
};

for (const [what, deny] of Object.entries(denials)) {
  Deno.test(`${what} that may not be read leaves the last keys standing, and is read once it may be`, async () => {
    const folder = await Deno.makeTempDir();
    const cards = `${folder}/v1/mdc`;
    await Deno.mkdir(cards, { recursive: true });
    await Deno.writeTextFile(`${cards}/dynamo%2Fbackend%2Fgenerate%2Fa1`, "x");
    await using store = start(folder);
    await eventually(() => assert.deepEqual(values(store), ["a1 x"]));
    deny(cards);
    try {
      await Deno.writeTextFile(`${cards}/dynamo%2Fbackend%2Fgenerate%2Fa1`, "longer");
      await eventually(() => assert.ok(!store.connected));
      assert.deepEqual(values(store), ["a1 x"]);
    } finally {
      mock.restoreAll();
    }
    await eventually(() => assert.deepEqual(values(store), ["a1 longer"]));
    assert.ok(store.connected);
    await Deno.remove(folder, { recursive: true });
  });
}
