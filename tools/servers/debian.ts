/**
 * Debian packages unpacked into a folder of the project. Nothing is configured, no maintainer script runs, and so
 * no system service is started.
 */
import { join } from "node:path";

/** What a program that ran to its end said, stdout and stderr together. */
interface Ran {
  readonly ok: boolean;
  readonly text: string;
}

/**
 * The unpacked folder of a package below `cacheDir`, that of the newest build, or undefined. Every folder found is
 * whole, because folders get their final name only when complete.
 */
export async function unpackedPackage(name: string, cacheDir: string): Promise<string | undefined> {
  let newest: { path: string; time: number } | undefined;
  try {
    for await (const entry of Deno.readDir(cacheDir)) {
      if (!entry.isDirectory || !entry.name.startsWith(`${name}_`)) continue;
      const path = join(cacheDir, entry.name);
      const time = (await Deno.stat(path)).mtime?.getTime() ?? 0;
      if (newest === undefined || time > newest.time) newest = { path, time };
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return newest?.path;
}

/**
 * Downloads and unpacks a Debian package into `<cacheDir>/<name>_<version>/`, unless it is there, and returns that
 * folder; with `withLibraries` also the packages that it needs and that are not installed, into the same folder.
 * Processes that call it at the same moment wait for each other and share the outcome. Says the version on stderr
 * when it downloads. Throws an Error of one line.
 */
export async function unpackPackage(
  name: string,
  cacheDir: string,
  options: { readonly withLibraries?: boolean } = {},
): Promise<string> {
  await Deno.mkdir(cacheDir, { recursive: true });
  using lock = await Deno.open(join(cacheDir, ".lock"), { create: true, write: true });
  await lock.lock(true); // held until closed, also by the system when the process dies
  const present = await unpackedPackage(name, cacheDir);
  if (present !== undefined) return present;
  await removeLeftovers(cacheDir);
  const work = await Deno.makeTempDir({ dir: cacheDir, prefix: ".new-" });
  try {
    await downloadPackage(name, work, options);
    const { version, files } = await downloaded(name, work);
    const tree = join(work, "tree");
    for (const file of files) {
      const unpacked = await run("dpkg", ["-x", file, tree]);
      if (!unpacked.ok) throw new Error(`dpkg -x failed (${lastLine(unpacked.text)})`);
    }
    const target = join(cacheDir, `${name}_${version}`);
    await Deno.rename(tree, target);
    console.error(`unpacked Debian's ${name} ${version}`);
    return target;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** With the lock held, every unfinished folder belongs to a process that died. */
async function removeLeftovers(cacheDir: string): Promise<void> {
  for await (const entry of Deno.readDir(cacheDir)) {
    if (entry.name.startsWith(".new-")) await Deno.remove(join(cacheDir, entry.name), { recursive: true });
  }
}

/** Package lists that are missing or out of date are fetched once, then the download is tried again. */
async function downloadPackage(
  name: string,
  work: string,
  { withLibraries = false }: { readonly withLibraries?: boolean },
): Promise<void> {
  // Without the option root's apt complains that its download user cannot write here.
  const common = ["-q", "-o", "APT::Sandbox::User=root"];
  // Nothing is installed, so the system's lock is not needed, nor the right to take it.
  const install = ["-y", "-o", `Dir::Cache::archives=${work}`, "-o", "Debug::NoLocking=1", "--download-only"];
  const args = withLibraries
    ? [...common, ...install, "--no-install-recommends", "install", name]
    : [...common, "download", name];
  if (withLibraries) await Deno.mkdir(join(work, "partial"));
  let download = await run("apt-get", args, work);
  if (!download.ok) {
    const update = await run("apt-get", ["-q", "update"]);
    if (!update.ok) {
      throw new Error(
        `apt-get download failed (${lastLine(download.text)}), apt-get update too (${lastLine(update.text)})`,
      );
    }
    download = await run("apt-get", args, work);
  }
  if (!download.ok) throw new Error(`apt-get download failed (${lastLine(download.text)})`);
}

/** The files that were downloaded, and the version of that name's. */
async function downloaded(name: string, work: string): Promise<{ files: string[]; version: string }> {
  const files = [...Deno.readDirSync(work)].map((entry) => entry.name).filter((file) =>
    file.endsWith(".deb")
  );
  const own = files.find((file) => file.startsWith(`${name}_`));
  if (own === undefined) throw new Error("apt-get download left no .deb file");
  const field = await run("dpkg", ["-f", join(work, own), "Version"]);
  if (!field.ok) throw new Error(`dpkg -f failed (${lastLine(field.text)})`);
  return { files: files.map((file) => join(work, file)), version: field.text.trim().replaceAll(":", "%3a") };
}

async function run(command: string, args: readonly string[], cwd?: string): Promise<Ran> {
  try {
    const output = await new Deno.Command(command, {
      args: [...args],
      ...(cwd === undefined ? {} : { cwd }),
      env: { LC_ALL: "C" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    return { ok: output.success, text: decoder.decode(output.stdout) + decoder.decode(output.stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new Error(`${command} is not there`, { cause: error });
    throw error;
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.trim() || "it said nothing";
}
