import { fleetJson } from "../exposition/fleet_json.ts";
import type { Snapshot } from "../fleet/snapshot.ts";
import { API_HEADERS } from "./api_answer.ts";
import { bodyOf } from "./body.ts";
import { encode } from "./encode.ts";
import type { Handler } from "./server.ts";

/** The JSON of Snapshots: made at most once for each, when the first reader asks; the bytes serve all. */
export class FleetBytes {
  readonly #made = new WeakMap<Snapshot, Promise<Uint8Array<ArrayBuffer>>>();
  readonly #version: string | undefined;

  /** @param version the program's, which readers are told */
  constructor(version?: string) {
    this.#version = version;
  }

  of(snapshot: Snapshot): Promise<Uint8Array<ArrayBuffer>> {
    let bytes = this.#made.get(snapshot);
    if (bytes === undefined) {
      bytes = encode(fleetJson(snapshot, this.#version));
      this.#made.set(snapshot, bytes);
      bytes.catch(() => this.#made.delete(snapshot));
    }
    return bytes;
  }
}

/** `/api/v1/fleet`: the newest Snapshot, whole. */
export function fleetRoute(
  options: { readonly snapshot: () => Snapshot; readonly fleets: FleetBytes },
): Handler {
  return async () => {
    const snapshot = options.snapshot();
    const bytes = await options.fleets.of(snapshot);
    return new Response(bodyOf([bytes]), {
      headers: {
        ...API_HEADERS,
        "content-type": "application/json",
        "content-length": String(bytes.length),
        "snapshot-seq": String(snapshot.seq),
      },
    });
  };
}
