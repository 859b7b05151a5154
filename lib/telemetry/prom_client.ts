// The package's modules one by one: its index also loads its Pushgateway, cluster and summaries, a tenth of all that a start
// takes.
// @ts-types="./prom_client_counter.d.ts"
import Counter from "prom-client/lib/counter.js";
// @ts-types="./prom_client_gauge.d.ts"
import Gauge from "prom-client/lib/gauge.js";
// @ts-types="./prom_client_histogram.d.ts"
import Histogram from "prom-client/lib/histogram.js";
// @ts-types="./prom_client_registry.d.ts"
import Registry from "prom-client/lib/registry.js";

export { Counter, Gauge, Histogram, Registry };
