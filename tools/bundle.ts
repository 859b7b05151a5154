import { taskArgs } from "./task_args.ts";

/**
 * Puts the executables of several targets (`FROM/<target>/<program>`) into one folder, named by program and target, as
 * they are attached to a release.
 */
const [from, to] = taskArgs;
if (from === undefined || to === undefined) {
  console.error("error: two folders are needed: FROM and TO");
  Deno.exit(2);
}
await Deno.mkdir(to, { recursive: true });
for (const { name: target, isDirectory } of Deno.readDirSync(from)) {
  if (!isDirectory) continue;
  for (const { name } of Deno.readDirSync(`${from}/${target}`)) {
    const [program, extension] = name.split(".");
    const path = `${to}/${program}-${target}${extension === undefined ? "" : `.${extension}`}`;
    await Deno.copyFile(`${from}/${target}/${name}`, path);
    await Deno.chmod(path, 0o755);
    console.log(path);
  }
}
