import { CHANNELS } from "../../lib/events/observation.ts";
import { Deployment } from "../../lib/deployment/deployment.ts";
import { systemClock } from "../../lib/timing.ts";
import { NatsLink } from "../../lib/transport/nats.ts";
import { USER } from "../../tools/nats_users.ts";
import { target } from "../helpers/deployment.ts";

/** A deployment on NATS alone that does not run yet, as quick as a deployment's. */
export function ownDeployment(url: string): AsyncDisposable & { readonly deployment: Deployment } {
  const ends = new AsyncDisposableStack();
  const { signal } = new AbortController();
  const nats = ends.use(new NatsLink({ servers: [url], name: "own deployment", auth: USER, signal }));
  const deployment = ends.use(
    new Deployment({
      targets: [target],
      nats,
      store: undefined,
      clock: systemClock,
      recorder: { note: () => {} },
      pollIntervalMs: 200,
      channels: new Set(CHANNELS),
      workerUrls: [],
      pageTargets: () => [],
      limits: { staleAfterMs: 600, forgetAfterMs: 2_000, stuckAfterMs: 10_000 },
    }),
  );
  return { deployment, [Symbol.asyncDispose]: () => ends.disposeAsync() };
}
