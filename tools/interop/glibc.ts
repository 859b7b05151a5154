/**
 * Makes the libraries that wheels of 0.3.0 to 0.4.0 bring with them loadable under a glibc before 2.38 (x86-64): workers
 * never call into them, but import them. Of what an ELF file needs, newer versions become weak, and the C23 names of
 * functions are bound to the version that has always been there. Other files are left alone.
 */
export async function allowOlderGlibc(folder: string): Promise<void> {
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  for (const { name } of entries.filter(({ name }) => name.includes(".so"))) {
    const bytes = await Deno.readFile(folder + name);
    if (relaxVersions(bytes)) await Deno.writeFile(folder + name, bytes);
  }
}

const NEWER = /^(?:GLIBCXX_3\.4\.3[1-9]|GLIBC_2\.(?:3[7-9]|4\d))$/;
const ALWAYS = "GLIBC_2.2.5";
const WEAK = 2;
/** Types of sections. */
const DYNSYM = 11;
const VERNEED = 0x6ffffffe;
const VERSYM = 0x6fffffff;

/** Edits the file in place; false when there is nothing to do. */
function relaxVersions(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u16 = (at: number) => view.getUint16(at, true);
  const u32 = (at: number) => view.getUint32(at, true);
  const u64 = (at: number) => Number(view.getBigUint64(at, true));
  const table = u64(40);
  const section = (n: number) => {
    const at = table + 64 * n;
    return { type: u32(at + 4), offset: u64(at + 24), size: u64(at + 32), link: u32(at + 40) };
  };
  const sections = Array.from({ length: u16(60) }, (_, n) => section(n));
  const of = (wanted: number) => sections.find(({ type }) => type === wanted);
  const [symbols, versions, needs] = [of(DYNSYM), of(VERSYM), of(VERNEED)];
  if (symbols === undefined || versions === undefined || needs === undefined) return false;
  const strings = sections[symbols.link]!.offset;
  const text = (at: number) =>
    new TextDecoder().decode(bytes.subarray(strings + at, bytes.indexOf(0, strings + at)));

  const newer = new Set<number>();
  let always: number | undefined;
  for (let at = needs.offset, next = -1; next !== 0; at += next) {
    next = u32(at + 12);
    let version = at + u32(at + 8);
    for (let count = u16(at + 2); count > 0; count--) {
      const [name, index] = [text(u32(version + 8)), u16(version + 6)];
      if (name === ALWAYS) always = index;
      if (NEWER.test(name)) {
        newer.add(index);
        view.setUint16(version + 4, u16(version + 4) | WEAK, true);
      }
      version += u32(version + 12);
    }
  }
  const isC23 = /^__isoc23_/;
  for (let n = 0; n < symbols.size / 24; n++) {
    const [at, version] = [symbols.offset + 24 * n, versions.offset + 2 * n];
    if (always === undefined || !newer.has(u16(version)) || !isC23.test(text(u32(at)))) continue;
    view.setUint32(at, u32(at) + "__isoc23_".length, true);
    view.setUint16(version, always, true);
  }
  return newer.size > 0;
}
