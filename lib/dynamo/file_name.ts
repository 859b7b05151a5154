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
