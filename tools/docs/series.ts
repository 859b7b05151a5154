import { FAMILIES } from "../../lib/exposition/families.ts";
import type { Source } from "../../lib/exposition/family.ts";

/** How many series there are at most for one of each, with worker labels. */
export function seriesCounts() {
  const count = (per: Source["per"]) => FAMILIES.filter(({ source }) => source.per === per).length;
  return {
    worker: count("worker"),
    channel: count("channel"),
    endpoint: count("endpoint"),
    rank: count("rank"),
    estimate: count("estimate"),
    hitRate: count("hit_rate"),
  };
}

/** How many series a worker has, as the README says it. */
export function seriesTable(): string {
  const { worker, channel, endpoint, rank, estimate, hitRate } = seriesCounts();
  const rows = [
    ["worker", worker],
    ["way by which it is seen", channel],
    ["endpoint of its NATS service", endpoint],
    ["rank, if it has several", rank],
    ["router's estimate of one of its ranks", estimate],
    ["worker that `kv-hit-rate` events name", hitRate],
  ];
  return ["| for each | series, at most |", "| --- | --- |", ...rows.map(([what, n]) => `| ${what} | ${n} |`)]
    .join("\n");
}
