import { exactIntegers } from "./exact_integers.ts";
import { type WorkerId, workerIdFromHex, workerIdFromInteger } from "./worker_id.ts";

/** A key below `v1/` with its value, as they stand in etcd. */
export interface Registered {
  readonly key: string;
  readonly value: string;
}

/** A JSON object, its fields not yet checked. */
export type Fields = Readonly<Record<string, unknown>>;

/** The value of a key, integers exact; undefined when it is no JSON object. */
export function parseValue(value: string): Fields | undefined {
  try {
    return asFields(JSON.parse(value, exactIntegers as never));
  } catch {
    return undefined;
  }
}

/** The fields of an object inside a value; none where it is missing or something else. */
export function fieldsOf(value: unknown): Fields {
  return asFields(value) ?? {};
}

/** Text that is not empty, else undefined. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/**
 * The id that a key ends in and its value repeats; undefined where they differ, as in the deeper keys that some models
 * have (`…/<id>/<adapter>`).
 */
export function registeredId(key: string, value: Fields): WorkerId | undefined {
  const id = workerIdFromInteger(value.instance_id);
  return id === workerIdFromHex(key.slice(key.lastIndexOf("/") + 1)) ? id : undefined;
}

function asFields(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Fields : undefined;
}
