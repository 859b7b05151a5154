import assert from "node:assert/strict";
import { Deployment, type DeploymentOptions, usersConfig } from "../helpers/deployment.ts";
import { eventually } from "../helpers/eventually.ts";

/** A fault, and how to know from the page that it is there. */
interface Fault {
  readonly options?: DeploymentOptions;
  readonly strike: (deployment: Deployment) => Promise<unknown>;
  readonly shows: [metric: string, value: number];
}

const NATS_AWAY: Fault["shows"] = ["dynamo_metrics_nats_connected", 0];
const ETCD_AWAY: Fault["shows"] = ["dynamo_metrics_etcd_connected", 0];

const FAULTS: Readonly<Record<string, Fault>> = {
  "NATS is stopped": { strike: ({ nats }) => nats.stop(), shows: NATS_AWAY },
  "NATS is killed": { strike: ({ nats }) => nats.kill(), shows: NATS_AWAY },
  "NATS hangs": { strike: ({ nats }) => nats.pause(), shows: NATS_AWAY },
  "etcd is stopped": { strike: ({ etcd }) => etcd.stop(), shows: ETCD_AWAY },
  "etcd is killed": { strike: ({ etcd }) => etcd.kill(), shows: ETCD_AWAY },
  "etcd hangs": { strike: ({ etcd }) => etcd.pause(), shows: ETCD_AWAY },
  "both hang": { strike: ({ nats, etcd }) => Promise.all([nats.pause(), etcd.pause()]), shows: ETCD_AWAY },
  "etcd is wiped": { strike: ({ etcd }) => etcd.wipe(), shows: ["dynamo_metrics_membership_from_etcd", 1] },
  "we may not ask": {
    options: { natsConfig: usersConfig('publish: { deny: ["$SRV.>"] }') },
    strike: () => Promise.resolve(),
    shows: ["dynamo_metrics_up", 0],
  },
};

for (const [name, { options, strike, shows: [metric, value] }] of Object.entries(FAULTS)) {
  Deno.test(`told to end while ${name}, metrics ends with 0`, async () => {
    await using deployment = await Deployment.start(options);
    await eventually(async () => {
      const page = await deployment.page();
      assert.equal(page.value("dynamo_metrics_nats_connected"), 1);
      assert.equal(page.value("dynamo_metrics_etcd_connected"), 1);
    });
    await strike(deployment);
    await eventually(async () => assert.equal((await deployment.page()).value(metric), value));
    assert.equal(await deployment.metrics.stop(), 0);
    assert.equal(deployment.said(/ INFO metrics: Received a signal, ending gracefully signal=SIGTERM$/), 1);
  });
}
