import { decode } from "@msgpack/msgpack";
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
