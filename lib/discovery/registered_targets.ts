import {
  INSTANCE_KEY_LAYOUTS,
  type InstanceKeyLayout,
  instanceKeyPrefix,
  instancesPrefix,
  parseInstanceTarget,
} from "../dynamo/instance_key.ts";
import { type Target, targetPath } from "../dynamo/target.ts";
import type { KeyStore } from "../transport/key_store.ts";

/**
 * The endpoints that have instances in a store, at most so many, as `namespace/component/endpoint`. Each is one question,
 * however many instances it has. Those that releases to 0.2.1 registered are only those of the namespace.
 *
 * @throws {Error} when the store cannot be asked
 */
export async function registeredTargets(
  store: Pick<KeyStore, "firstKey">,
  { namespace, limit }: { readonly namespace: string; readonly limit: number },
): Promise<readonly string[]> {
  const paths = new Set<string>();
  for (const layout of INSTANCE_KEY_LAYOUTS) {
    const all = instancesPrefix(layout, namespace);
    for (let from = all; paths.size < limit;) {
      const key = await store.firstKey(from, endOf(all));
      if (key === undefined) break;
      const target: Target | undefined = parseInstanceTarget(layout, key);
      if (target !== undefined) paths.add(targetPath(target));
      from = target === undefined ? `${key}\0` : afterTarget(layout, target);
    }
  }
  return [...paths];
}

function afterTarget(layout: InstanceKeyLayout, target: Target): string {
  return endOf(instanceKeyPrefix(layout, target));
}

/** The first text after all that begin with a prefix that ends in ':' or '/'. */
function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
