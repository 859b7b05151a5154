/** A fault that metrics survives: what happens, what the page says meanwhile, and the file that shows it. */
export interface Fault {
  readonly file: string;
  readonly fault: string;
  readonly meanwhile: string;
}

const NATS_AWAY =
  "`up` 0, `nats_connected` 0, no load; the workers stay (without etcd until `--forget-after`), silent after `--stale-after`";
const ETCD_AWAY =
  "`etcd_connected` 0, `membership_from_etcd` 0: membership is what answers; load goes on, the last known workers stay";
const MEMBER_AWAY =
  "`etcd_connected` 1: another member takes its place, new workers are seen, and the log names the sick one";
const PUSH_FAILS =
  "`pushes_failed_total` grows, `last_push_timestamp_seconds` stands still; the page goes on";
const NEIGHBOURS = "the neighbours' numbers as ever";
const PAGES =
  "the neighbours' pages as ever; `pages_rejected_total` grows, ever more slowly: it is asked up to once a minute";
const NO_PAGE = `what it said leaves at once; the worker's other numbers and ${PAGES}`;

const PUBLISHER_AWAY =
  "what it said leaves at once, its worker's card, page and other publishers stay; the neighbours' numbers as ever; `silent` after `--stale-after` where nothing else is heard; it is sought up to every 5 s";
const PUBLISHER_HUNG = PUBLISHER_AWAY.replace("at once", "after two unanswered PINGs (3 s)");

/** In the order of docs/faults.md; all names begin with `dynamo_metrics_`. */
export const FAULTS: readonly Fault[] = [
  { file: "servers_come_in_any_order", fault: "NATS and etcd are absent at the start", meanwhile: NATS_AWAY },
  { file: "nats_is_stopped", fault: "NATS is stopped", meanwhile: NATS_AWAY },
  { file: "nats_is_killed", fault: "NATS is killed", meanwhile: NATS_AWAY },
  { file: "nats_hangs", fault: "NATS hangs (SIGSTOP)", meanwhile: `${NATS_AWAY}; known by pings within 3 s` },
  {
    file: "nats_comes_back_as_another_server",
    fault: "NATS comes back as another server, with nothing of the old one",
    meanwhile: NATS_AWAY,
  },
  {
    file: "nats_hung_and_answers_in_a_burst",
    fault: "Answers to old questions come in one burst",
    meanwhile: "counted as `late`; the newest answer stands",
  },
  {
    file: "login_is_refused_for_a_while",
    fault: "NATS refuses our password for a while",
    meanwhile: NATS_AWAY,
  },
  {
    file: "nats_cluster_loses_the_named_server",
    fault: "The only named server of a NATS cluster dies",
    meanwhile:
      "as when NATS is away, for a moment: the servers that the cluster announced are tried after the named ones",
  },
  {
    file: "secret_is_rotated",
    fault: "A password or a JWT ends, and its file is replaced",
    meanwhile: `${NATS_AWAY}; the file is read for each login`,
  },
  {
    file: "nats_asks_for_a_client_certificate",
    fault: "NATS asks for a client certificate, from the start or later",
    meanwhile: NATS_AWAY,
  },
  {
    file: "user_may_not_ask",
    fault: "The user may not ask `$SRV`",
    meanwhile: "`up` 0, `nats_connected` 1, `rounds_failed_total` grows",
  },
  {
    file: "user_may_not_hear_answers",
    fault: "The user may not hear answers",
    meanwhile: "`up` 0, `nats_connected` 1, `rounds_failed_total` grows",
  },
  {
    file: "user_may_not_hear_events",
    fault: "The user may not hear events",
    meanwhile: "the load as ever; `events_total` stands still",
  },
  {
    file: "user_may_not_publish",
    fault: "The user may not publish",
    meanwhile: '`publishes_skipped_total{reason="permission"}` grows; all else as ever',
  },
  {
    file: "aggregate_is_larger_than_nats_takes",
    fault: "The aggregate is larger than NATS takes",
    meanwhile: '`publishes_skipped_total{reason="max_payload"}` grows; all else as ever',
  },
  {
    file: "nats_drops_us_as_a_slow_consumer",
    fault: "NATS drops us as a slow consumer",
    meanwhile: "as when NATS is away, for a moment",
  },
  { file: "network_to_nats_is_cut", fault: "The network to NATS is cut", meanwhile: NATS_AWAY },
  {
    file: "network_to_nats_hangs_with_both_ends_open",
    fault: "The network to NATS is half-open",
    meanwhile: NATS_AWAY,
  },
  { file: "etcd_is_stopped", fault: "etcd is stopped", meanwhile: ETCD_AWAY },
  { file: "etcd_is_killed", fault: "etcd is killed", meanwhile: ETCD_AWAY },
  { file: "etcd_hangs", fault: "etcd hangs (SIGSTOP)", meanwhile: `${ETCD_AWAY}; known within 5 s` },
  {
    file: "etcd_is_wiped",
    fault: "etcd loses its data under workers that answer",
    meanwhile: "`worker_registered` 0; the workers and their load stay",
  },
  {
    file: "etcd_is_wiped_under_dead_workers",
    fault: "etcd loses its data under workers that do not answer",
    meanwhile: 'the workers leave: `workers_gone_total{reason="deregistered"}`',
  },
  {
    file: "etcd_compacts_past_the_watch",
    fault: "etcd compacts past the revision that we watch",
    meanwhile: ETCD_AWAY,
  },
  {
    file: "etcd_with_a_password_restarts",
    fault: "An etcd with a password restarts",
    meanwhile: ETCD_AWAY,
  },
  {
    file: "etcd_member_hangs",
    fault: "One of three etcd members hangs (SIGSTOP)",
    meanwhile: MEMBER_AWAY,
  },
  {
    file: "etcd_member_has_no_leader",
    fault: "One etcd endpoint is a member without a leader",
    meanwhile: MEMBER_AWAY,
  },
  {
    file: "network_to_an_etcd_member_hangs",
    fault: "The network to one of three etcd members swallows all packets",
    meanwhile: MEMBER_AWAY,
  },
  {
    file: "etcd_leader_is_killed",
    fault: "The leader of three etcd members is killed",
    meanwhile: `${MEMBER_AWAY}; while no leader is elected, as when etcd is away`,
  },
  {
    file: "etcd_members_are_all_away",
    fault: "All three etcd members are killed, or two of them hang",
    meanwhile: ETCD_AWAY,
  },
  { file: "network_to_etcd_is_cut", fault: "The network to etcd is cut", meanwhile: ETCD_AWAY },
  {
    file: "network_to_etcd_hangs_with_both_ends_open",
    fault: "The network to etcd is half-open",
    meanwhile: ETCD_AWAY,
  },
  {
    file: "worker_is_killed",
    fault: "A worker is killed",
    meanwhile:
      "`silent` after `--stale-after`, then gone: by its key with etcd, after `--forget-after` without",
  },
  {
    file: "worker_is_stopped_and_resumed",
    fault: "A worker is stopped (SIGSTOP) and goes on",
    meanwhile: "`silent`, without load, its last answer's time stays",
  },
  {
    file: "worker_restarts_with_a_new_id",
    fault: "A worker restarts under a new id",
    meanwhile: "the new id at once; the old one leaves every series",
  },
  {
    file: "lease_of_a_worker_is_lost",
    fault: "A worker's lease is lost and it registers again",
    meanwhile: "the new id at once; the old one leaves every series",
  },
  {
    file: "worker_answers_after_the_round",
    fault: "A worker answers after the round's end",
    meanwhile: "its numbers, from when they came",
  },
  {
    file: "worker_answers_twice",
    fault: "A worker answers twice in a round",
    meanwhile: "the later numbers, once in the average; counted as `duplicate_id`",
  },
  {
    file: "worker_is_under_two_service_names",
    fault: "A worker answers under two service names",
    meanwhile: "one worker; counted as `duplicate_id`",
  },
  {
    file: "worker_claims_the_id_of_another",
    fault: "A process claims another's id",
    meanwhile: "the later numbers under that id; counted as `duplicate_id`",
  },
  {
    file: "worker_sends_a_flood_of_entries",
    fault: "A reply has 200,000 entries that are none",
    meanwhile: `counted as \`worker_id\`; ${NEIGHBOURS}`,
  },
  {
    file: "worker_has_an_id_that_does_not_parse",
    fault: "An endpoint's id does not parse",
    meanwhile: `${NEIGHBOURS}; counted as \`worker_id\``,
  },
  {
    file: "worker_has_a_thousand_endpoints",
    fault: "A reply has a thousand endpoints",
    meanwhile: "all counted, until the worker leaves",
  },
  {
    file: "worker_answers_with_ten_megabytes",
    fault: "A reply has ten megabytes",
    meanwhile: `${NEIGHBOURS}; counted as \`too_large\``,
  },
  {
    file: "worker_answers_with_broken_json",
    fault: "Replies are broken",
    meanwhile: `${NEIGHBOURS}; counted as \`not_json\` or \`envelope\``,
  },
  {
    file: "worker_sends_fields_of_the_wrong_kind",
    fault: "A load record has a field missing, negative, fractional, text or NaN",
    meanwhile: `the worker is \`undecodable\`, without load; ${NEIGHBOURS}`,
  },
  {
    file: "worker_page_hangs",
    fault: "A worker's HTTP page hangs",
    meanwhile: `what it said leaves after \`--stale-after\`; the worker's other numbers and ${PAGES}`,
  },
  {
    file: "worker_page_redirects",
    fault: "A worker's HTTP page redirects",
    meanwhile: `not followed; ${NO_PAGE}`,
  },
  {
    file: "worker_page_is_huge",
    fault: "A worker's HTTP page has twenty megabytes",
    meanwhile: `cut off at 16 MiB; ${NO_PAGE}`,
  },
  {
    file: "worker_page_is_garbage",
    fault: "A worker's HTTP page is garbage",
    meanwhile: NO_PAGE,
  },
  {
    file: "worker_page_answers_500",
    fault: "A worker's HTTP page is answered with 500",
    meanwhile: NO_PAGE,
  },
  {
    file: "worker_page_is_of_another",
    fault: "A worker's address is another's by now",
    meanwhile: `the page is not taken for its own; ${NO_PAGE}`,
  },
  { file: "publisher_is_killed", fault: "A worker's publisher (ZMQ) is killed", meanwhile: PUBLISHER_AWAY },
  { file: "publisher_hangs", fault: "A worker's publisher hangs (SIGSTOP)", meanwhile: PUBLISHER_HUNG },
  {
    file: "network_to_a_publisher_is_cut",
    fault: "The network to a publisher is cut",
    meanwhile: PUBLISHER_AWAY,
  },
  {
    file: "network_to_a_publisher_hangs_with_both_ends_open",
    fault: "The network to a publisher is half-open",
    meanwhile: PUBLISHER_HUNG,
  },
  {
    file: "publisher_comes_back_on_another_port",
    fault: "A publisher is on another port, by a new key or a changed one",
    meanwhile: "the new one's numbers; the old port is left",
  },
  {
    file: "publisher_is_none",
    fault: "At a publisher's address is something else",
    meanwhile: "nothing of it, tried up to every 5 s; all others as ever",
  },
  {
    file: "publisher_says_nothing",
    fault: "A publisher does not greet, or answers no PING",
    meanwhile: "nothing of it, tried up to every 5 s; its worker's other publishers and all others as ever",
  },
  {
    file: "publisher_sends_garbage",
    fault: "A publisher sends garbage",
    meanwhile: `counted as \`not_msgpack\` or \`fields\` in \`events_rejected_total\`; ${NEIGHBOURS}`,
  },
  {
    file: "publisher_sends_too_much",
    fault: "A publisher sends two megabytes at once",
    meanwhile: `left at 1 MiB, and tried again up to every 5 s; ${NEIGHBOURS}`,
  },
  {
    file: "publisher_sends_a_flood",
    fault: "A publisher sends a hundred thousand events at once",
    meanwhile: "its newest numbers; all are counted, what is too much unread; the neighbours' as ever",
  },
  {
    file: "event_is_not_ours",
    fault: "What is no event of ours comes at its subject",
    meanwhile:
      "counted as `not_json`, `not_msgpack` or `fields` in `events_rejected_total`; the numbers as ever",
  },
  {
    file: "event_of_a_worker_nobody_knows",
    fault: "An event names a worker that is not registered",
    meanwhile: `counted as \`unknown_worker\` in \`events_rejected_total\`; ${NEIGHBOURS}`,
  },
  {
    file: "card_has_no_total",
    fault: "A model card has no block total",
    meanwhile: "the worker's numbers without total and usage, never with 0",
  },
  {
    file: "card_is_garbage",
    fault: "A model card is no JSON, or no card",
    meanwhile: "the worker's numbers without what the card said",
  },
  {
    file: "etcd_is_away_under_workers_on_zmq",
    fault: "etcd goes, or loses its data, under workers that nobody asks",
    meanwhile:
      "`up` 0, `etcd_connected` 0, `membership_from_etcd` 0: the last known workers and channels stand; back, whose key went is gone at once",
  },
  {
    file: "file_store_is_away",
    fault: "The folder of the file store is away",
    meanwhile: "`up` 0, `file_store_readable` 0: the last known workers and channels stand",
  },
  {
    file: "file_store_has_garbage",
    fault: "The file store has files that are no keys, or half of one",
    meanwhile: "they are passed over; all else as ever",
  },
  {
    file: "file_store_has_files_of_the_dead",
    fault: "A worker on the file store dies and leaves its files; or its clock is hours away",
    meanwhile:
      "its files count for 13.3 s after their last touch, as Dynamo's own processes keep them; a live worker is there from its first touch",
  },
  {
    file: "nats_is_away_where_nobody_needs_it",
    fault: "NATS is killed where no worker needs it",
    meanwhile: "`nats_connected` 0, `up` 1, all numbers; no warning, not degraded",
  },
  {
    file: "nats_goes_under_workers_on_both",
    fault: "NATS is killed where some workers are heard by it and some on ZMQ",
    meanwhile: "`up` 0, `nats_connected` 0: what came by NATS is taken, and nothing else",
  },
  {
    file: "ten_thousand_workers_come_and_go",
    fault: "Ten thousand workers appear and vanish at once",
    meanwhile: "all of them, then none",
  },
  {
    file: "readers_take_all_file_descriptors",
    fault: "Readers open more connections than the process may have files",
    meanwhile: "the server is opened again, and the connections that were there end",
  },
  {
    file: "ten_thousand_workers_answer_late",
    fault: "Ten thousand workers answer after the round",
    meanwhile: "their numbers as they come",
  },
  { file: "pushgateway_is_absent", fault: "The Pushgateway is absent", meanwhile: PUSH_FAILS },
  {
    file: "pushgateway_is_slow",
    fault: "The Pushgateway does not answer",
    meanwhile: "a failed push after ten seconds; the page goes on, and the end does not wait for it",
  },
  { file: "pushgateway_answers_400", fault: "The Pushgateway answers 400", meanwhile: PUSH_FAILS },
  { file: "pushgateway_answers_500", fault: "The Pushgateway answers 500", meanwhile: PUSH_FAILS },
  { file: "pushgateway_redirects", fault: "The Pushgateway redirects", meanwhile: PUSH_FAILS },
  { file: "pushgateway_answers_garbage", fault: "The Pushgateway answers garbage", meanwhile: PUSH_FAILS },
  {
    file: "workers_without_channels_go_where_nobody_asks",
    fault: "Workers that never said a word go while NATS is away, or left out",
    meanwhile: "they leave with their keys",
  },
  {
    file: "reader_reads_a_byte_at_a_time",
    fault: "Readers read a byte at a time",
    meanwhile: "the whole page for all others",
  },
  {
    file: "reader_sends_half_a_request",
    fault: "Readers send half a request",
    meanwhile: "the whole page for all others",
  },
  {
    file: "reader_opens_a_thousand_connections",
    fault: "A thousand connections are opened",
    meanwhile: "the whole page; `process_open_fds` grows, and falls when they close",
  },
  {
    file: "clock_is_set",
    fault: "The clock is set back and forth by an hour",
    meanwhile: "timestamps move; states and numbers do not",
  },
  {
    file: "log_cannot_be_written",
    fault: "The log's device is full, its descriptor closed, its reader gone",
    meanwhile: "the page as ever",
  },
  {
    file: "we_are_stopped_for_a_while",
    fault: "`metrics` is stopped for a while (SIGSTOP, a machine that sleeps) and goes on",
    meanwhile:
      "nothing is answered; after it the numbers come with the next round, nobody is called silent or lost who could not be asked",
  },
  {
    file: "we_are_told_to_end",
    fault: "SIGTERM in the middle of a fault",
    meanwhile: "`/readyz` 503, then nothing: the process ends with 0",
  },
];
