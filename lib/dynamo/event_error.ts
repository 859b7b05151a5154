/** Why an event cannot be used. A closed set: it becomes a label. */
export const EVENT_PROBLEMS = ["not_json", "not_msgpack", "fields"] as const;
export type EventProblem = typeof EVENT_PROBLEMS[number];

/** An event that cannot be used. `problem` is the bounded reason, the message names what is wrong. */
export class EventError extends Error {
  override readonly name = "EventError";
  constructor(readonly problem: EventProblem, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Counts that begin. */
export function noProblems(): Record<EventProblem, number> {
  return { not_json: 0, not_msgpack: 0, fields: 0 };
}

/** The text of an event in JSON. @throws {EventError} */
export function jsonText(data: Uint8Array): string {
  try {
    return decoder.decode(data);
  } catch (cause) {
    throw new EventError("not_json", "not UTF-8", { cause });
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true });
