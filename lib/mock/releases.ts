import type { InstanceKeyLayout } from "../dynamo/instance_key.ts";
import type { LoadShape } from "../dynamo/load.ts";
import type { ServiceForm } from "../dynamo/service_name.ts";

/** How the workers of a release show themselves. */
export interface ReleaseTraits {
  readonly serviceForm: ServiceForm;
  readonly keyLayout: InstanceKeyLayout;
  /** What the id is called in the value of the etcd key. */
  readonly idField: "lease_id" | "instance_id";
  readonly loadShape: LoadShape;
  /** The version that the NATS service names, which is not the release's. */
  readonly serviceVersion: string;
}

/** The releases that a mock worker can be of: one of each generation that answered statistics with its load. */
export const RELEASES = {
  "0.1.0": traits("A", "components", "flat7"),
  "0.1.1": traits("B", "components", "flat7"),
  "0.2.1": traits("C", "components", "flat7"),
  "0.3.0": traits("C", "instances", "flat8"),
  "0.3.2": traits("C", "instances", "nested"),
  "0.6.0": traits("C", "v1", "nested"),
} as const satisfies Readonly<Record<string, ReleaseTraits>>;

export type Release = keyof typeof RELEASES;

export const DEFAULT_RELEASE: Release = "0.1.1";

export function isRelease(text: string): text is Release {
  return Object.hasOwn(RELEASES, text);
}

function traits(serviceForm: ServiceForm, keyLayout: InstanceKeyLayout, loadShape: LoadShape): ReleaseTraits {
  const idField = keyLayout === "components" ? "lease_id" : "instance_id";
  return { serviceForm, keyLayout, idField, loadShape, serviceVersion: "0.0.1" };
}
