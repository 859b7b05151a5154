import {
  isName,
  isTargetAddress,
  parseTargetAddress,
  type Target,
  TARGET_ADDRESS_RULE,
} from "../dynamo/target.ts";
import { type Flag, type GivenFlags, UsageError } from "./usage.ts";

/** The flags that name a target. One without a default is required. */
export interface TargetFlags {
  readonly namespace: Flag;
  readonly component: Flag;
  readonly endpoint: Flag;
}

/** For the help of the endpoint's flag. */
export const ADDRESS_HELP = "or all three names as dyn://NAMESPACE.COMPONENT.ENDPOINT";

const ADDRESS_ELSEWHERE = "one name: dyn://NAMESPACE.COMPONENT.ENDPOINT is given with --endpoint";

/**
 * The target that the three flags name, or the address that is given as the endpoint and stands for all three. An
 * address wins over the environment's namespace.
 *
 * @throws {UsageError} also when one of the other flags is given next to an address
 */
export function readTarget(flags: GivenFlags, { namespace, component, endpoint }: TargetFlags): Target {
  if (isAddressGiven(flags, endpoint)) {
    const target = flags.required({ ...endpoint, rule: TARGET_ADDRESS_RULE }, parseTargetAddress);
    const beside = [namespace, component].find((flag) => flags.has(flag));
    if (beside === undefined) return target;
    throw new UsageError(
      `${endpoint.name} dyn://…: must not stand beside ${beside.name}, which the address names`,
    );
  }
  return {
    namespace: readName(flags, namespace),
    component: readName(flags, component),
    endpoint: readName(flags, endpoint),
  };
}

/** Whether the endpoint's flag has an address, good or bad: then no other name is missing. */
export function isAddressGiven(flags: GivenFlags, endpoint: Flag): boolean {
  return isTargetAddress(flags.value(endpoint, (text) => text) ?? "");
}

function readName(flags: GivenFlags, flag: Flag): string {
  const named = { ...flag, rule: ADDRESS_ELSEWHERE };
  flags.value(named, (text) => isTargetAddress(text) ? undefined : text);
  const read = (text: string) => isName(text) ? text : undefined;
  return flag.defaultText === undefined
    ? flags.required(flag, read)
    : flags.value(flag, read) ?? flag.defaultText;
}
