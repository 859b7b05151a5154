import type { Load } from "../dynamo/load.ts";
import { loadText } from "../dynamo/load_text.ts";

const STRUCTS: Readonly<Record<string, string>> = { worker_stats: "WorkerStats ", kv_stats: "KvStats " };

/** A load as the original `mock_worker` logs it: Rust's debug text of its ForwardPassMetrics. */
export function loadDebugText(load: Load): string {
  const fields = loadText(load)
    .replaceAll(/"(\w+)":/g, (_, name: string) => `${name}: ${STRUCTS[name] ?? ""}`)
    .replaceAll("null", "None")
    .replaceAll("{", "{ ")
    .replaceAll("}", " }")
    .replaceAll(",", ", ");
  return `ForwardPassMetrics ${fields}`;
}
