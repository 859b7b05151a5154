import { decode, encode } from "@msgpack/msgpack";
import { joinBytes } from "../bytes.ts";
import { EventError } from "./event_error.ts";

/** A hundred times the largest event that was seen of those that are read here. Bounds the depth as well. */
const MAX_BYTES = 65_536;

/**
 * No list is read. The library makes room for the length that a list claims before it has seen it: so no message takes
 * more than 20 MB while it is decoded.
 */
const MAX_LIST_LENGTH = 64;

/**
 * Decodes one MessagePack value. 64-bit integers are bigint, shorter ones number; a whole float cannot be told from an
 * integer. Binary values are views of `bytes`.
 *
 * @throws {EventError} when `bytes` hold anything else, less or more, or are longer than 64 KiB
 */
export function decodeMsgpack(bytes: Uint8Array): unknown {
  if (bytes.length > MAX_BYTES) {
    throw new EventError("not_msgpack", `${bytes.length} bytes, more than ${MAX_BYTES}`);
  }
  try {
    return decode(bytes, { useBigInt64: true, maxArrayLength: MAX_LIST_LENGTH });
  } catch (cause) {
    throw new EventError("not_msgpack", "not MessagePack", { cause });
  }
}

/** A map in the order of its fields, of less than 16. */
export interface MsgpackMap {
  readonly [field: string]: null | number | bigint | string | Uint8Array | Float64 | MsgpackMap;
}

/** A number that is written as a float, whole or not. */
export class Float64 {
  constructor(readonly value: number) {}
}

/** Encodes a map as Dynamo's programs do: each integer as short as it goes, fractions as 64-bit floats. */
export function encodeMsgpack(map: MsgpackMap): Uint8Array<ArrayBuffer> {
  const fields = Object.entries(map);
  return joinBytes([
    [0x80 | fields.length],
    ...fields.flatMap(([field, value]) => [encode(field), encodeValue(value)]),
  ]);
}

function encodeValue(value: MsgpackMap[string]): Uint8Array {
  if (value instanceof Float64) return encode(value.value, { forceIntegerToFloat: true });
  if (typeof value === "bigint") {
    return value > 0xffff_ffffn ? encode(value, { useBigInt64: true }) : encode(Number(value));
  }
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return encode(value);
  return encodeMsgpack(value);
}
