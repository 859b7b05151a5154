import { type Releases, releases } from "./release.ts";
import type { Target } from "./target.ts";
import { type WorkerId, workerIdFromHex, workerIdToHex } from "./worker_id.ts";

/** Where releases register an endpoint's instances in etcd: `components` to 0.2.1, `instances` to 0.5.1, `v1` since 0.6.0. */
export type InstanceKeyLayout = "components" | "instances" | "v1";

export const INSTANCE_KEY_LAYOUTS: readonly InstanceKeyLayout[] = ["components", "instances", "v1"];

/** Of which the workers are that are registered in a layout. */
export function releasesOfLayout(layout: InstanceKeyLayout): Releases {
  switch (layout) {
    case "components":
      return releases("0.1.0", "0.2.1");
    case "instances":
      return releases("0.3.0", "0.5.1");
    case "v1":
      return releases("0.6.0");
  }
}

/** The key before the worker's id, so one range read or watch lists the target's instances of one layout. */
export function instanceKeyPrefix(layout: InstanceKeyLayout, target: Target): string {
  const { namespace, component, endpoint } = target;
  switch (layout) {
    case "components":
      return `${namespace}/components/${component}/${endpoint}:`;
    case "instances":
      return `instances/${namespace}/${component}/${endpoint}:`;
    case "v1":
      return `v1/instances/${namespace}/${component}/${endpoint}/`;
  }
}

/**
 * Where all instances of a layout are: below a prefix. The oldest layout begins with the namespace, so of that only one
 * namespace's are.
 */
export function instancesPrefix(layout: InstanceKeyLayout, namespace: string): string {
  switch (layout) {
    case "components":
      return `${namespace}/components/`;
    case "instances":
      return "instances/";
    case "v1":
      return "v1/instances/";
  }
}

const PATHS: Readonly<Record<InstanceKeyLayout, RegExp>> = {
  components: /^([^/]+)\/components\/([^/]+)\/([^/:]+):/,
  instances: /^instances\/([^/]+)\/([^/]+)\/([^/:]+):/,
  v1: /^v1\/instances\/([^/]+)\/([^/]+)\/([^/]+)\//,
};

/** The endpoint whose instance a key registers; undefined for one that registers none in this layout. */
export function parseInstanceTarget(layout: InstanceKeyLayout, key: string): Target | undefined {
  const [, namespace, component, endpoint] = PATHS[layout].exec(key) ?? [];
  return endpoint === undefined ? undefined : { namespace: namespace!, component: component!, endpoint };
}

export function instanceKey(layout: InstanceKeyLayout, target: Target, id: WorkerId): string {
  return instanceKeyPrefix(layout, target) + workerIdToHex(id);
}

/** The worker that a key below `prefix` registers; undefined for a deeper key or one that does not end in a 64-bit id. */
export function parseInstanceKey(key: string, prefix: string): WorkerId | undefined {
  return key.startsWith(prefix) ? workerIdFromHex(key.slice(prefix.length)) : undefined;
}
