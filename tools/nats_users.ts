import type { NatsAuth } from "../lib/transport/nats_auth.ts";

/** A NATS user whose password is its name. */
export function natsUser(name: string): NatsAuth {
  return { kind: "password", username: name, password: name };
}

/** Whom Dynamo's programs are where nothing is said. */
export const USER = natsUser("user");
