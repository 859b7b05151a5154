/**
 * The key that a file of file discovery stands for. Its path below `$DYN_FILE_KV` is two folders and the rest of the
 * key as one name, percent-encoded (`v1/mdc/dynamo%2Fbackend%2F…`). Undefined for any other path.
 */
export function parseFileName(path: string): string | undefined {
  const [version, bucket, name, ...more] = path.split("/");
  if (!version || !bucket || !name || more.length > 0) return undefined;
  try {
    return `${version}/${bucket}/${decodeURIComponent(name)}`;
  } catch {
    return undefined;
  }
}

/** A process of Dynamo's touches its files every third of this, and any process deletes the files that are older. */
const FILE_TTL_MS = 10_000;

/**
 * How long after its last touch a file of file discovery stands for a key. Dynamo deletes it when one of its processes next
 * looks, which each does right after touching its own: at 10 to 13.3 s (`storage/kv/file.rs`; 1.6.1 touched every 3.334 to
 * 3.345 s, idle and under a stopped neighbour, whose files went at 10.05 and 10.30 s). Where no other process is left to
 * delete them, this says when they are nobody's.
 */
export const FILE_EXPIRES_AFTER_MS = FILE_TTL_MS + FILE_TTL_MS / 3;

/** The name of the folder in the temporary folder that Dynamo uses where `DYN_FILE_KV` names none. */
export const DEFAULT_FILE_STORE = "dynamo_store_kv";
