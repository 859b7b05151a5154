import { type WorkerId, workerIdFromDecimal } from "../dynamo/worker_id.ts";

/** A worker's page that somebody lists by hand or by machine, in place of the worker's card. */
export interface PageTarget {
  readonly url: string;
  /** As a URL writes it. */
  readonly host: string;
  /** Whose page it is; undefined where only the page says so. */
  readonly worker: WorkerId | undefined;
}

/**
 * Reads what Prometheus' http_sd and file_sd (as JSON) list: `[{"targets": ["HOST:PORT", …], "labels": {…}}, …]`. Of the
 * labels `__scheme__`, `__metrics_path__`, `__param_<name>` make the address, and `worker_id` (decimal, as on our page)
 * tells whose page it is, which only the pages of releases before 1.1 leave open.
 *
 * @throws {Error} with one line that names the first thing that is wrong
 */
export function parsePageTargets(text: string): PageTarget[] {
  const groups = parseJson(text);
  if (!Array.isArray(groups)) throw new Error("must be a list of groups with targets, as of http_sd");
  return groups.flatMap((group: unknown, index) => {
    const { targets, labels = {} } = asObject(group);
    if (!Array.isArray(targets) || !isObject(labels)) {
      throw new Error(`group ${index + 1} must have targets, a list, and may have labels, an object`);
    }
    return targets.map((target: unknown) => toTarget(target, labels));
  });
}

function toTarget(target: unknown, labels: Readonly<Record<string, unknown>>): PageTarget {
  const { __scheme__: scheme = "http", __metrics_path__: path = "/metrics", worker_id } = labels;
  const address = `${scheme}://${target}${path}`;
  const isOne = typeof target === "string" && !/[/?#@\s]/.test(target) && /^https?$/.test(String(scheme)) &&
    String(path).startsWith("/") && URL.canParse(address);
  if (!isOne) {
    throw new Error(`${shown(target)}: no address HOST:PORT comes out of it and its labels`);
  }
  const url = new URL(address);
  for (const [name, value] of Object.entries(labels)) {
    if (name.startsWith("__param_")) url.searchParams.set(name.slice("__param_".length), String(value));
  }
  const worker = typeof worker_id === "string" ? workerIdFromDecimal(worker_id) : undefined;
  if (worker_id !== undefined && worker === undefined) {
    throw new Error(
      `${JSON.stringify(target)}: worker_id ${JSON.stringify(worker_id)} is no decimal id, as text`,
    );
  }
  return { url: url.href, host: url.hostname, worker };
}

/** A target as it stands there, without what may be a password. */
function shown(target: unknown): string {
  return typeof target === "string"
    ? JSON.stringify(target.replace(/^.*@|[?#].*$/gs, "…"))
    : "a target that is no text";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("must be JSON");
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
