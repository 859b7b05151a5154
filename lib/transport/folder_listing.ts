import { join } from "node:path";

/**
 * The files two folders below a folder, as one listing found them. It is whole: a folder that goes or is moved meanwhile
 * makes it fail, because files that it did not find may still be there.
 */
export class FolderListing {
  /** The paths of the files below the folder, as `version/bucket/name`. */
  readonly files: readonly string[];
  /** Which folder each path led to. */
  readonly #folders: ReadonlyMap<string, string>;

  private constructor(files: readonly string[], folders: ReadonlyMap<string, string>) {
    this.files = files;
    this.#folders = folders;
  }

  /** @throws {Error} when one of the folders cannot be read */
  static async of(root: string): Promise<FolderListing> {
    const folders = new Map<string, string>();
    const entries = async (path: string): Promise<Deno.DirEntry[]> => {
      folders.set(path, await identity(path));
      return await Array.fromAsync(Deno.readDir(path));
    };
    const files: string[] = [];
    for (const version of await entries(root)) {
      if (!version.isDirectory) continue;
      for (const bucket of await entries(join(root, version.name))) {
        if (!bucket.isDirectory) continue;
        for (const { name, isFile } of await entries(join(root, version.name, bucket.name))) {
          if (isFile) files.push(`${version.name}/${bucket.name}/${name}`);
        }
      }
    }
    return new FolderListing(files, folders);
  }

  /** Fails when one of the folders is no longer where it was: files that were not found since then may be there. */
  async check(): Promise<void> {
    for (const [path, folder] of this.#folders) {
      if (await identity(path) !== folder) throw new Error(`${path} is another folder than before`);
    }
  }
}

async function identity(path: string): Promise<string> {
  const { dev, ino } = await Deno.stat(path);
  return `${dev} ${ino}`;
}
