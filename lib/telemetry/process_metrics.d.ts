import type { Registry } from "prom-client";

/** The form of each module below prom-client's lib/metrics. */
declare const addMetrics: (registry: Registry) => void;
export default addMetrics;
