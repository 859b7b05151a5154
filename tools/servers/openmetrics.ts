/** The strict reader of OpenMetrics: the parser of Prometheus' own Python client, from Debian, run by python3. */
import { join } from "node:path";
import { debianPackage, findBinary } from "./binaries.ts";

/** A family as the parser understood it. */
export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly unit: string;
  readonly samples: readonly ParsedSample[];
}

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As Python writes it: 1.0, 1e-07, inf, nan. */
  readonly value: string;
}

const PACKAGE = "python3-prometheus-client";
/** What it imports. */
const IMPORTED = "python3-decorator";

const SCRIPT = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
try:
    families = list(text_string_to_metric_families(sys.stdin.buffer.read().decode()))
except ValueError as error:
    sys.exit(str(error))
json.dump([dict(name=f.name, type=f.type, unit=f.unit, samples=[
    dict(name=s.name, labels=s.labels, value=str(s.value)) for s in f.samples]) for f in families], sys.stdout)
`;

/** Where python3, the parser and what it imports are, fetched at the first call. Throws an Error of one line that says what to do. */
export async function findOpenMetricsParser(): Promise<{ python: string; folders: readonly string[] }> {
  const python = await findBinary("python3");
  try {
    const folders = await Promise.all([PACKAGE, IMPORTED].map((name) => debianPackage(name)));
    return { python, folders: folders.map((folder) => join(folder, "usr/lib/python3/dist-packages")) };
  } catch (error) {
    throw new Error(
      `Cannot find the OpenMetrics parser of Debian's ${PACKAGE}: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}

/** What the parser reads in a page. Throws with its own words where it refuses the page. */
export async function parseOpenMetrics(page: string): Promise<readonly ParsedFamily[]> {
  const { python, folders } = await findOpenMetricsParser();
  const child = new Deno.Command(python, {
    args: ["-c", SCRIPT],
    env: { PYTHONPATH: folders.join(":"), PYTHONDONTWRITEBYTECODE: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [{ success, stdout, stderr }] = await Promise.all([
    child.output(),
    new Blob([page]).stream().pipeTo(child.stdin),
  ]);
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot read as OpenMetrics: ${decoder.decode(stderr).trim()}`);
  return JSON.parse(decoder.decode(stdout));
}
