import { outputOf } from "../command.ts";
import { findOnPath } from "../servers/binaries.ts";

/**
 * The Python 3.12 that Dynamo's wheels are for: the one given, or `python3.12` on PATH.
 *
 * @throws an Error of one line without one
 */
export async function findPython(given: string | undefined): Promise<string> {
  const path = given ?? await findOnPath("python3.12");
  if (path === undefined) throw new Error("No python3.12 is on PATH; give one with --python PATH");
  const script = "import sys; print('%d.%d' % sys.version_info[:2])";
  const version = (await outputOf(path, ["-c", script])).trim();
  if (version !== "3.12") throw new Error(`${path} is Python ${version}, not 3.12`);
  return path;
}
