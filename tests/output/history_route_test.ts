import assert from "node:assert/strict";
import type { FleetSeries, Past } from "../../lib/deployment/history.ts";
import { historyRoute } from "../../lib/output/history_route.ts";
import { assertSchema } from "../helpers/api_schema.ts";
import * as steps from "../helpers/fleet_steps.ts";

const target = { namespace: "dynamo", component: "c", endpoint: "e" };

Deno.test("the fleet's past is made once a step for all who ask, whole however long it is", async () => {
  const values = Array.from({ length: 12_345 }, (_, n) => n % 7 === 0 ? NaN : n);
  const series = { loadAvg: values, silent: values.map(() => 0) } as unknown as FleetSeries;
  const names = ["loadStd", "kvUtilisation", "slotUtilisation", "requestsWaiting", "workers", "responding"];
  for (const name of [...names, "roundSeconds", "hitRate"]) Object.assign(series, { [name]: [] });
  let made = 0;
  const history = {
    fleetTo: steps.at(1),
    fleet(): Past<FleetSeries> {
      made++;
      return { stepMs: 100, to: history.fleetTo, targets: [{ target, series }] };
    },
    worker: () => undefined,
  };
  const route = historyRoute(history);
  const url = new URL("http://x/api/v1/history");
  const ask = async () => await (await route(new Request(url), url)).json();
  const [first, second] = await Promise.all([ask(), ask()]);
  assert.equal(made, 1);
  assert.deepEqual(first, second);
  assertSchema("history", first);
  assert.deepEqual(
    first.targets[0].series.load_avg,
    values.map((value) => Number.isNaN(value) ? null : value),
  );
  history.fleetTo = steps.at(2);
  assert.notEqual((await ask()).to, first.to);
  assert.equal(made, 2);
});
