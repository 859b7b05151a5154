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
