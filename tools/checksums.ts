/** Writes SHA256SUMS of a folder's files into the folder, in the form that `sha256sum --check` reads. */
import { taskArgs } from "./task_args.ts";

const [folder = "dist"] = taskArgs;
const names = filesOf(folder).filter(({ isFile, name }) => isFile && name !== "SHA256SUMS");
const lines = await Promise.all(
  names.map(({ name }) => name).toSorted().map(async (name) => {
    const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(`${folder}/${name}`));
    return `${new Uint8Array(digest).toHex()}  ${name}\n`;
  }),
);
await Deno.writeTextFile(`${folder}/SHA256SUMS`, lines.join(""));
console.log(lines.join("").trimEnd());

function filesOf(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch (error) {
    console.error(`error: ${(error as Error).message}; the argument is a folder of files`);
    Deno.exit(2);
  }
}
