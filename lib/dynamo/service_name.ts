import { blake3 } from "@noble/hashes/blake3.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { type Releases, releases } from "./release.ts";

/** The three ways in which releases built a component's NATS service name: A in 0.1.0, B in 0.1.1 to 0.2.0, C since 0.2.1. */
export const SERVICE_FORMS = ["A", "B", "C"] as const;
export type ServiceForm = typeof SERVICE_FORMS[number];

export function releasesOfForm(form: ServiceForm): Releases {
  switch (form) {
    case "A":
      return releases("0.1.0", "0.1.0");
    case "B":
      return releases("0.1.1", "0.2.0");
    case "C":
      return releases("0.2.1");
  }
}

/**
 * The NATS service name of a component. Forms A and B end in the last eight hex digits of the BLAKE3 hash of the name
 * before it was slugged; A joins with `|`, B and C with `_`; C keeps `-` and has no hash.
 */
export function serviceName(form: ServiceForm, namespace: string, component: string): string {
  const name = `${namespace}${form === "A" ? "|" : "_"}${component}`;
  if (form === "C") return slug(name, /[^a-z0-9_-]/gu);
  const hash = bytesToHex(blake3(new TextEncoder().encode(name)));
  return `${slug(name, /[^a-z0-9_]/gu)}_${hash.slice(-8)}`;
}

function slug(name: string, forbidden: RegExp): string {
  return name.toLowerCase().replace(forbidden, "_").replace(/^_+/, "");
}
