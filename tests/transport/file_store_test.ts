import assert from "node:assert/strict";
import { mock } from "node:test";
import { parseFileName } from "../../lib/dynamo/file_name.ts";
import type { Instant } from "../../lib/timing.ts";
import { FileStore, type FileStoreOptions } from "../../lib/transport/file_store.ts";
import { eventually } from "../helpers/eventually.ts";
import { logLines } from "../helpers/log_lines.ts";

const PREFIX = "v1/mdc/dynamo/backend/generate/";

function start(folder: string, options: Partial<FileStoreOptions> = {}): FileStore {
  return new FileStore([{ prefix: PREFIX, withValues: true }], {
    folder,
    keyOf: parseFileName,
    expiresAfterMs: 60_000,
    signal: new AbortController().signal,
    rereadMs: 10,
    ...options,
  });
}

/** How much of its clock passes from one reading of a store to the next: as much as may count. */
const STEP_MS = 20;
const START_MS = Date.parse("2026-01-01T00:00:00Z");

/** A clock that goes on with each reading. */
class ReadingClock {
  readings = 0;
  readonly now = (): Instant => {
    const monotonicMs = STEP_MS * this.readings++;
    return { monotonicMs, epochMs: START_MS + monotonicMs };
  };

  /** Waits until as many readings more have begun and ended. */
  async passes(readings: number): Promise<void> {
    const end = this.readings + readings + 1;
    await eventually(() => assert.ok(this.readings > end));
  }
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

/** How many readings a file lives after its last touch. */
const LIFE = 20;

/** A store of one card whose file was touched so many steps before the start. */
async function startAged(steps: number) {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/v1/mdc`, { recursive: true });
  const card = `${folder}/v1/mdc/dynamo%2Fbackend%2Fgenerate%2Fa1`;
  await Deno.writeTextFile(card, "x");
  const touch = async (steps: number) => {
    const at = new Date(START_MS - steps * STEP_MS);
    await Deno.utime(card, at, at);
  };
  await touch(steps);
  const clock = new ReadingClock();
  const store = start(folder, { expiresAfterMs: LIFE * STEP_MS, clock: clock.now });
  return {
    folder,
    card,
    touch,
    clock,
    store,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("a file that is no longer touched is a key for its time, and is one again when it is touched", async () => {
  await using aged = await startAged(0);
  await eventually(() => assert.deepEqual(values(aged.store), ["a1 x"]));
  let changes = 0;
  using _ = aged.store.listen(() => changes++);
  await eventually(() => assert.deepEqual(values(aged.store), []));
  assert.ok(aged.clock.readings >= LIFE, `${aged.clock.readings} readings`);
  assert.equal(changes, 1);
  assert.ok(aged.store.connected);
  await aged.touch(-1);
  await eventually(() => assert.deepEqual(values(aged.store), ["a1 x"]));
});

Deno.test("an old file is no key until it is touched, though its clock stays behind", async () => {
  await using aged = await startAged(1_000_000);
  await aged.clock.passes(3);
  assert.deepEqual(values(aged.store), []);
  await aged.touch(999_999);
  await eventually(() => assert.deepEqual(values(aged.store), ["a1 x"]));
});

Deno.test("a file that is touched lives on, whatever clock it is touched by", async () => {
  await using aged = await startAged(-1_000_000);
  await eventually(() => assert.deepEqual(values(aged.store), ["a1 x"]));
  for (let n = 0; n < 10; n++) {
    await aged.touch(n % 2 === 0 ? 1_000_000 : n);
    await aged.clock.passes(LIFE / 4);
    assert.deepEqual(values(aged.store), ["a1 x"]);
  }
});

Deno.test("the time in which a folder cannot be read counts against no file", async () => {
  await using aged = await startAged(0);
  await eventually(() => assert.deepEqual(values(aged.store), ["a1 x"]));
  await Deno.rename(aged.folder, `${aged.folder}.away`);
  await eventually(() => assert.ok(!aged.store.connected));
  await aged.clock.passes(3 * LIFE);
  await Deno.rename(`${aged.folder}.away`, aged.folder);
  await eventually(() => assert.ok(aged.store.connected));
  assert.deepEqual(values(aged.store), ["a1 x"]);
  await eventually(() => assert.deepEqual(values(aged.store), []));
});

/** When the folder is moved away: just before this is done with a path below it. */
const MOMENTS: readonly [what: string, call: "readDir" | "stat" | "open", below: string][] = [
  ["its own list is read", "readDir", ""],
  ["a folder below it is found", "stat", "/v1"],
  ["a folder below it is read", "readDir", "/v1"],
  ["the files are listed", "readDir", "/v1/mdc"],
  ["a file is looked at", "stat", "/v1/mdc/dynamo%2Fbackend%2Fgenerate%2Fa1"],
  ["a file is read", "open", "/v1/mdc/dynamo%2Fbackend%2Fgenerate%2Fa1"],
];

for (const [what, call, below] of MOMENTS) {
  Deno.test(`a folder that is moved just before ${what} leaves the last keys standing`, async () => {
    const parent = await Deno.makeTempDir();
    const [folder, away] = [`${parent}/kv`, `${parent}/away`];
    const cards = `${folder}/v1/mdc`;
    await Deno.mkdir(cards, { recursive: true });
    await Deno.writeTextFile(`${cards}/dynamo%2Fbackend%2Fgenerate%2Fa1`, "x");
    await using store = start(folder);
    await eventually(() => assert.deepEqual(values(store), ["a1 x"]));
    const real = Deno[call] as (path: string) => unknown;
    mock.method(Deno, call, (path: string) => {
      if (path === `${folder}${below}`) {
        mock.restoreAll();
        Deno.renameSync(folder, away);
      }
      return real(path);
    });
    if (call === "open") await Deno.writeTextFile(`${cards}/dynamo%2Fbackend%2Fgenerate%2Fa1`, "longer");
    await eventually(() => assert.ok(!store.connected));
    assert.deepEqual(values(store), ["a1 x"]);
    await Deno.rename(away, folder);
    await eventually(() => assert.ok(store.connected));
    await Deno.remove(parent, { recursive: true });
  });
}

Deno.test("a folder that need not exist yet has no keys, is read when it comes, and should then stay", async () => {
  const lines = logLines();
  const parent = await Deno.makeTempDir();
  const folder = `${parent}/dynamo_store_kv`;
  await using store = start(folder, { mayBeMissing: true });
  await eventually(() => assert.ok(store.tried));
  assert.deepEqual([store.connected, values(store)], [true, []]);
  await Deno.mkdir(`${folder}/v1/mdc`, { recursive: true });
  await Deno.writeTextFile(`${folder}/v1/mdc/dynamo%2Fbackend%2Fgenerate%2Fa1`, "x");
  await eventually(() => assert.deepEqual(values(store), ["a1 x"]));
  await Deno.rename(folder, `${folder}.away`);
  await eventually(() => assert.ok(!store.connected));
  assert.deepEqual(values(store), ["a1 x"]);
  const said = lines.map((line) => line.replace(/^\S+ +/, "").replaceAll(folder, "FOLDER"));
  assert.match(said[0]!, /INFO.*Waiting for the file store's folder, nobody is registered yet.*FOLDER/);
  assert.match(said[1]!, /INFO.*Reading the file store.*FOLDER/);
  assert.match(said[2]!, /WARN.*Cannot read the file store, trying again.*FOLDER/);
  assert.equal(said.length, 3);
  await Deno.remove(parent, { recursive: true });
});

const ABSENT: readonly [what: string, path: string, mayBeMissing: boolean, make: (path: string) => void][] = [
  ["a named folder that is not there", "kv", false, () => {}],
  ["a folder that need not exist, but is a file,", "kv", true, (path) => Deno.writeTextFileSync(path, "x")],
  [
    "a folder that need not exist below a file",
    "file/kv",
    true,
    (path) => Deno.writeTextFileSync(path.replace(/\/kv$/, ""), "x"),
  ],
];

for (const [what, path, mayBeMissing, make] of ABSENT) {
  Deno.test(`${what} cannot be read`, async () => {
    const parent = await Deno.makeTempDir();
    make(`${parent}/${path}`);
    await using store = start(`${parent}/${path}`, { mayBeMissing });
    await eventually(() => assert.ok(store.tried));
    assert.ok(!store.connected);
    await Deno.remove(parent, { recursive: true });
  });
}
