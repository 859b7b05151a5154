/** How much a finding matters: numbers are missing or wrong now; they will be, or somebody must act; good to know. */
export const SEVERITIES = ["error", "warning", "info"] as const;
export type Severity = typeof SEVERITIES[number];

/** A kind of finding. */
export interface FindingKind {
  readonly severity: Severity;
  /** Whether `/readyz` calls the program degraded because of it. */
  readonly degrades: boolean;
  readonly meaning: string;
  readonly action: string;
}

const error = (meaning: string, action: string): FindingKind => ({
  severity: "error",
  degrades: false,
  meaning,
  action,
});
const warning = (meaning: string, action: string): FindingKind => ({
  ...error(meaning, action),
  severity: "warning",
});
const info = (meaning: string, action: string): FindingKind => ({
  ...error(meaning, action),
  severity: "info",
});
const degrading = (kind: FindingKind): FindingKind => ({ ...kind, degrades: true });

/**
 * All kinds by code, worst first. A code is never used for anything else later. docs/findings.md and the table of
 * `dynamo_metrics_findings` are made from this.
 */
export const FINDING_KINDS = {
  nats_disconnected: degrading(error(
    "NATS is not connected, and workers are registered, or may be, that are seen by it alone.",
    "The hint is the cause. Check NATS_SERVER, the network and the login.",
  )),
  nats_left_out: degrading(error(
    "Workers are seen by NATS alone, and it is left out.",
    "Start metrics without --no-nats, and with the channels stats and event_nats.",
  )),
  store_disconnected: degrading(error(
    "The store that lists the workers cannot be read: who is registered is as it last was known.",
    "The hint is the cause. Check ETCD_ENDPOINTS or the folder of DYN_FILE_KV, the network and the login.",
  )),
  round_failed: degrading(error(
    "The last question to the workers could not be sent, or its answers could not be collected.",
    "If it stays, check what this program's user may do at NATS: the log names a subject that is refused.",
  )),
  right_missing: degrading(error(
    "NATS refuses this program a subject: questions, answers or events do not get through.",
    "Give the user of NATS the right that the text names, or log in as another one.",
  )),
  file_limit_low: degrading(error(
    "The workers' publishers and pages need more open files than this process may have: some workers cannot be heard.",
    "Raise the limit of open files (ulimit -n, LimitNOFILE of systemd) to the number that the text names.",
  )),
  worker_stuck: degrading(error(
    "A worker has requests in flight, and no forward pass has ended for --stuck-after.",
    "Look at the engine's log and at its GPU. Restarting the worker frees the requests.",
  )),
  worker_silent: error(
    "A worker is registered, and gave no sign of life for --stale-after. Its numbers are left out.",
    "Look at its process. If it is gone, its key goes when its lease ends.",
  ),
  worker_unreadable: error(
    "A worker answers with a load record that cannot be read.",
    "Compare the releases of the worker and of metrics. DYN_LOG=debug says what is wrong with the record.",
  ),
  rank_silent: error(
    "A rank of a worker no longer sends heartbeats, while the worker responds.",
    "Look at the engine's process of that rank.",
  ),
  worker_lost: warning(
    "A worker fell silent, and then went. As many workers as before are not there yet.",
    "Look at why it ended, and whether another one is being started.",
  ),
  nobody_registered: warning(
    "No worker is registered at the target.",
    "Check namespace, component and endpoint, and whether workers run.",
  ),
  nobody_answers: warning(
    "No store is read, and nobody answers at the target over NATS.",
    "Check namespace, component and endpoint, and whether workers of releases to 0.6 run. Later ones need a store.",
  ),
  nothing_heard: warning(
    "Workers are registered, and none was heard of its load.",
    "Workers that speak only when their load changes are heard with the first request. Else check the network to them.",
  ),
  worker_unheard: warning(
    "A worker is registered, and was not heard of its load yet, while others were.",
    "A worker that speaks only when its load changes is heard with its first request. Else check the network to it.",
  ),
  id_twice: warning(
    "Two answers of one round had the same worker's id. The later one is shown.",
    "Look for two programs with one lease, or for a worker that serves the endpoint twice.",
  ),
  worker_without_load: warning(
    "A worker answers, and its answer has no load.",
    "Workers answer so until their engine has started. If it stays, the endpoint is not the one with load data.",
  ),
  coverage_partial: warning(
    "The numbers of a worker are over some of its ranks only.",
    "Ranks that were not heard yet may be idle. Check the network to the publishers of the others.",
  ),
  page_unreadable: warning(
    "The page of a worker is not read.",
    "The text is the cause. Check --worker-url, the worker's DYN_SYSTEM_PORT and the network to it.",
  ),
  publisher_unreachable: warning(
    "A worker announces events on ZMQ at an address that cannot be reached.",
    "Check that a NetworkPolicy or a firewall lets this program reach the workers' ports.",
  ),
  requests_waiting: warning(
    "At least as many requests wait as the workers of a target have slots; at least 10 if slots are not known.",
    "Look whether workers are missing or stuck. Else the target needs more of them.",
  ),
  nats_not_needed: info(
    "NATS is not connected, and all registered workers are seen without it.",
    "Start metrics with --no-nats if there is no NATS.",
  ),
  stats_not_used: info(
    "Workers are asked over NATS, and none answers: releases since 0.7 do not, and are seen in other ways.",
    "Nothing has to be done. --channels without stats leaves the questions out.",
  ),
} as const satisfies Readonly<Record<string, FindingKind>>;

export type FindingCode = keyof typeof FINDING_KINDS;
export const FINDING_CODES = Object.keys(FINDING_KINDS) as readonly FindingCode[];
