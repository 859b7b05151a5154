/**
 * Makes the real servers available that tests, the demo and the benchmarks run, and prints name, version, path.
 *
 *     deno run -A tools/servers/install.ts [names…]
 */
import { BINARY_NAMES, binaryVersion, findBinary } from "./binaries.ts";
import { taskArgs } from "../task_args.ts";

if (import.meta.main) {
  let missing = 0;
  for (const name of taskArgs.length > 0 ? taskArgs : BINARY_NAMES) {
    try {
      console.log(`${name} ${await binaryVersion(name)} ${await findBinary(name)}`);
    } catch (error) {
      missing++;
      console.error(error instanceof Error ? error.message : String(error));
    }
  }
  Deno.exit(missing > 0 ? 1 : 0);
}
