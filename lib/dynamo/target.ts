/** What is watched: one endpoint of one component in one namespace, named as Dynamo names them. */
export interface Target {
  readonly namespace: string;
  readonly component: string;
  readonly endpoint: string;
}

/** `namespace/component/endpoint`, the form of Dynamo's own log lines. */
export function targetPath(target: Target): string {
  return `${target.namespace}/${target.component}/${target.endpoint}`;
}

/** What a name may hold, for error messages. */
export const NAME_RULE =
  "one or more characters without white space, control characters, '*', '>' and empty parts between dots";

/**
 * True when `name` can stand in a NATS subject. Dynamo itself checks nothing; upper case, `-`, `.` and `/` all occur in
 * real deployments (`VllmWorker`, `chat/completions`).
 */
export function isName(name: string): boolean {
  // deno-lint-ignore no-control-regex
  return !/[\s*>\u0000-\u001f\u007f-\u009f]/u.test(name) && name.split(".").every((part) => part !== "");
}

const ADDRESS_SCHEME = "dyn://";

/** What an address must be, for error messages. */
export const TARGET_ADDRESS_RULE =
  "dyn://NAMESPACE.COMPONENT.ENDPOINT, three names with two dots, without white space, control characters, '*' and '>'";

/** Whether a text is meant as a target's address, good or bad. */
export function isTargetAddress(text: string): boolean {
  return text.startsWith(ADDRESS_SCHEME);
}

/** Reads `dyn://namespace.component.endpoint`, as Dynamo's programs take it; undefined for any other text. */
export function parseTargetAddress(text: string): Target | undefined {
  if (!isTargetAddress(text)) return undefined;
  const [namespace, component, endpoint, ...more] = text.slice(ADDRESS_SCHEME.length).split(".");
  if (namespace === undefined || component === undefined || endpoint === undefined) return undefined;
  const areNames = [namespace, component, endpoint].every(isName);
  return areNames && more.length === 0 ? { namespace, component, endpoint } : undefined;
}
