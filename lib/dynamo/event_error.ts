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
