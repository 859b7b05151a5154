/** Where the servers' executables are: on PATH, else in Debian packages unpacked below `.cache/servers/`. */
import { delimiter, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { unpackedPackage, unpackPackage } from "./debian.ts";

/** How an executable is called on PATH, first choice first, and the Debian package that has it. */
interface Source {
  readonly debian: string;
  readonly names: readonly string[];
  /** Where the package has it, when not in usr/bin or usr/sbin under its own name. */
  readonly path?: string;
  /** It needs libraries that a server machine often does not have: they are unpacked beside it. */
  readonly withLibraries?: true;
  /** By what it names its version, when not by `--version`. */
  readonly versionFlag?: string;
}

const SOURCES: Readonly<Record<string, Source>> = {
  "nats-server": { debian: "nats-server", names: ["nats-server"] },
  "etcd": { debian: "etcd-server", names: ["etcd"] },
  "prometheus": { debian: "prometheus", names: ["prometheus"] },
  "promtool": { debian: "prometheus", names: ["promtool"] },
  "prometheus-pushgateway": {
    debian: "prometheus-pushgateway",
    names: ["prometheus-pushgateway", "pushgateway"],
  },
  "chromium": {
    debian: "chromium",
    names: ["chromium", "chromium-browser", "google-chrome"],
    path: "usr/lib/chromium/chromium", // What is in usr/bin starts the one of the system.
    withLibraries: true,
  },
  "openssl": { debian: "openssl", names: ["openssl"], withLibraries: true, versionFlag: "version" },
  "nginx": { debian: "nginx", names: ["nginx"], versionFlag: "-v" },
  "tmux": { debian: "tmux", names: ["tmux"], withLibraries: true, versionFlag: "-V" },
};

/** Servers live in sbin folders, which PATH often leaves out for plain users. */
const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/sbin"];

/** The executables `findBinary` can fetch when they are not on PATH. */
export const BINARY_NAMES: readonly string[] = Object.keys(SOURCES);

const found = new Map<string, Promise<string>>();
const versions = new Map<string, Promise<string>>();

/**
 * Path of a server's executable: from PATH, else from a Debian package, downloaded at the first call. The answer
 * is kept for the life of the process. Throws an Error of one line that says what was tried and what to do.
 */
export function findBinary(name: string): Promise<string> {
  return remember(found, name, () => locate(name));
}

/** The version an executable names when asked for it, without a leading `v`. Throws when it names none. */
export function binaryVersion(name: string): Promise<string> {
  return remember(versions, name, async () => {
    const path = await findBinary(name);
    const output = await new Deno.Command(path, {
      args: [SOURCES[name]?.versionFlag ?? "--version"],
      env: libraryEnv(path),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    const text = decoder.decode(output.stdout) + decoder.decode(output.stderr);
    const version = /\bv?(\d+\.\d+[^\s,]*)/.exec(text)?.[1];
    if (version === undefined) {
      throw new Error(`Cannot read the version of ${path}: it said "${text.trim()}"`);
    }
    return version;
  });
}

/** What an executable of `findBinary` needs in its environment to find the libraries that were unpacked with it. */
export function libraryEnv(path: string): Record<string, string> {
  const folder = relative(serverCacheDir(), path).split(sep)[0]!;
  if (folder === "..") return {};
  const triplet = Deno.build.target.replace("-unknown-", "-");
  const libraries = join(serverCacheDir(), folder, "usr/lib", triplet);
  return { LD_LIBRARY_PATH: [libraries, join(libraries, "pulseaudio")].join(delimiter) };
}

/** The first executable file of that name on PATH, or undefined. */
export async function findOnPath(name: string): Promise<string | undefined> {
  const folders = (Deno.env.get("PATH") ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const folder of [...folders, ...SYSTEM_FOLDERS]) {
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

async function locate(name: string): Promise<string> {
  const source = SOURCES[name];
  for (const candidate of source?.names ?? [name]) {
    const path = await findOnPath(candidate);
    if (path !== undefined) return path;
  }
  if (source === undefined) {
    throw new Error(
      `Cannot find ${name}: it is not on PATH and no Debian package of it is known; put it on PATH`,
    );
  }
  try {
    const folder = await debianPackage(source.debian, { withLibraries: source.withLibraries ?? false });
    for (const place of source.path === undefined ? [`usr/bin/${name}`, `usr/sbin/${name}`] : [source.path]) {
      const path = join(folder, place);
      if (await isExecutable(path)) return path;
    }
    throw new Error(`${folder} does not have it: delete that folder`);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replaceAll("\n", " ") : String(error);
    throw new Error(
      `Cannot find ${name}: it is not on PATH, and Debian's ${source.debian} cannot be unpacked: ${reason}; ` +
        `put ${name} on PATH or install the package ${source.debian}`,
      { cause: error },
    );
  }
}

/**
 * The folder that a Debian package is unpacked in, downloaded at the first call, with `withLibraries` together with what
 * it needs. Throws an Error of one line.
 */
export async function debianPackage(
  name: string,
  options: { readonly withLibraries?: boolean } = {},
): Promise<string> {
  const cacheDir = serverCacheDir();
  return await unpackedPackage(name, cacheDir) ?? await unpackPackage(name, cacheDir, options);
}

/** `SERVERS_CACHE_DIR`, else `.cache/servers` of the project. */
function serverCacheDir(): string {
  return Deno.env.get("SERVERS_CACHE_DIR") || fileURLToPath(new URL("../../.cache/servers", import.meta.url));
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    const info = await Deno.stat(path);
    return info.isFile && ((info.mode ?? 0o111) & 0o111) !== 0;
  } catch {
    return false;
  }
}

/** Failures are not kept, so that a later call may succeed. */
function remember(
  kept: Map<string, Promise<string>>,
  key: string,
  make: () => Promise<string>,
): Promise<string> {
  let value = kept.get(key);
  if (value === undefined) {
    value = make();
    kept.set(key, value);
    value.catch(() => kept.delete(key));
  }
  return value;
}
