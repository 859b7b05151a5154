/** The verbs of the NATS service API to which every service answers. */
export type Verb = "PING" | "INFO" | "STATS";

/** Whether a subject is one of the service API. */
export function isServiceSubject(subject: string): boolean {
  return subject.startsWith("$SRV.");
}

/** `$SRV.<verb>[.<service name>[.<instance id>]]`: whom a question is for. */
export function serviceSubject(verb: Verb, name?: string, id?: string): string {
  return ["$SRV", verb, name, id].filter((part) => part !== undefined).join(".");
}
