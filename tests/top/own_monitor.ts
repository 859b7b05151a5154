import { CHANNELS } from "../../lib/events/observation.ts";
import { Monitor } from "../../lib/monitor/monitor.ts";
import { systemClock } from "../../lib/timing.ts";
import { NatsLink } from "../../lib/transport/nats.ts";
import { USER } from "../../tools/nats_users.ts";
import { target } from "../helpers/deployment.ts";

const NOTHING = () => {};

/** A monitor on NATS alone that does not run yet, as quick as a deployment's. */
export function ownMonitor(url: string): AsyncDisposable & { readonly monitor: Monitor } {
  const ends = new AsyncDisposableStack();
  const { signal } = new AbortController();
  const nats = ends.use(new NatsLink({ servers: [url], name: "own monitor", auth: USER, signal }));
  const monitor = ends.use(
    new Monitor({
      target,
      nats,
      store: undefined,
      clock: systemClock,
      recorder: {
        round: NOTHING,
        replies: NOTHING,
        notes: NOTHING,
        hitRates: NOTHING,
        events: NOTHING,
        pages: NOTHING,
      },
      pollIntervalMs: 200,
      channels: new Set(CHANNELS),
      workerUrls: [],
      pageTargets: () => [],
      limits: { staleAfterMs: 600, forgetAfterMs: 2_000, stuckAfterMs: 10_000 },
    }),
  );
  return { monitor, [Symbol.asyncDispose]: () => ends.disposeAsync() };
}
