import type { Row } from "./row.ts";
import { ENDURANCE } from "./rows/endurance.ts";
import { FORWARD_PASS } from "./rows/forward_pass.ts";
import { HIT_RATE } from "./rows/hit_rate.ts";
import { LIVE } from "./rows/live.ts";
import { ROUND } from "./rows/round.ts";
import { ROUND_CPU } from "./rows/round_cpu.ts";
import { START } from "./rows/start.ts";
import { THROUGHPUT } from "./rows/throughput.ts";

/** All rows, in the order of the report. */
export const ROWS: readonly Row[] = [
  ROUND,
  ROUND_CPU,
  ENDURANCE,
  LIVE,
  THROUGHPUT,
  START,
  HIT_RATE,
  FORWARD_PASS,
];
