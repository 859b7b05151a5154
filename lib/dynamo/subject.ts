import type { Target } from "./target.ts";
import { type WorkerId, workerIdFromHex, workerIdToHex } from "./worker_id.ts";

/** The subject at which one instance of an endpoint takes requests: `<service>.<endpoint>-<id in hex>`. */
export function instanceSubject(service: string, endpoint: string, id: WorkerId): string {
  return `${service}.${endpoint}-${workerIdToHex(id)}`;
}

/** What an instance subject names. `worker` is undefined where the text after the last `-` is no 64-bit id. */
export interface InstanceName {
  readonly endpoint: string;
  readonly worker: WorkerId | undefined;
}

/**
 * Reads an instance subject of the service, the endpoint by its exact name: `gen` is not `gen-image`. Undefined for a
 * subject of another service. A static endpoint (`<service>.<endpoint>`, no id) has no worker.
 */
export function parseInstanceSubject(subject: string, service: string): InstanceName | undefined {
  if (!subject.startsWith(service) || subject[service.length] !== ".") return undefined;
  const rest = subject.slice(service.length + 1);
  const dash = rest.lastIndexOf("-");
  if (dash < 0) return { endpoint: rest, worker: undefined };
  return { endpoint: rest.slice(0, dash), worker: workerIdFromHex(rest.slice(dash + 1)) };
}

/** Where a namespace's events are published, as plain NATS messages. */
export function eventSubject(namespace: string, event: string): string {
  return `namespace.${namespace}.${event}`;
}

/** Where workers of releases 1.1.1 to 1.2.1 publish what is of their component. */
export function componentEventSubject({ namespace, component }: Target, event: string): string {
  return eventSubject(namespace, `component.${component}.${event}`);
}

/** Where workers of releases since 1.4 publish their events. */
export function endpointEventSubject({ namespace, component, endpoint }: Target, event: string): string {
  return eventSubject(namespace, `component.${component}.endpoint.${endpoint}.${event}`);
}

/** Where the aggregate of a target is published after each round. */
export function l2cSubject(target: Target): string {
  return eventSubject(target.namespace, `l2c.${target.component}.${target.endpoint}`);
}
