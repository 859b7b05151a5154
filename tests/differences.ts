/**
 * Where ours does otherwise than the original `metrics` beside what it reads (for that see odd_replies.ts and
 * odd_events.ts): each row with the test that shows it. What the original does was seen on 0.1.1 itself.
 */
export interface Difference {
  readonly what: string;
  readonly original: string;
  readonly ours: string;
  readonly why: string;
  readonly test: { readonly file: string; readonly title: string };
}

const STAYS = "what is not true now is not shown";
const START_ORDER = "programs of a deployment start in any order";

export const DIFFERENCES: readonly Difference[] = [
  {
    what: "a worker is killed",
    original: "its series stay for ever",
    ours: "silent, without load; out of every series with its key",
    why: STAYS,
    test: {
      file: "faults/worker_is_killed_test.ts",
      title:
        "a worker that is killed is silent, then out of every series: by its key with etcd, forgotten without",
    },
  },
  {
    what: "a worker hangs",
    original: "its last numbers stay",
    ours: "silent, without load, named with the time of its last answer",
    why: STAYS,
    test: {
      file: "faults/worker_is_stopped_and_resumed_test.ts",
      title:
        "a worker that is stopped is silent, named with its last answer, and responds again when it goes on",
    },
  },
  {
    what: "NATS or etcd is not there at the start",
    original: "exit 1 at once",
    ours: "one WARN; tries go on for ever, and the page says what is missing",
    why: START_ORDER,
    test: {
      file: "metrics_test.ts",
      title: "metrics started before NATS and etcd serves its page and shows the workers once they are there",
    },
  },
  {
    what: "NATS stops",
    original: "the old numbers stay",
    ours: "no load until it is back, `dynamo_metrics_up` 0",
    why: STAYS,
    test: {
      file: "faults/nats_is_stopped_test.ts",
      title:
        "while NATS is stopped no load is shown and the workers stay; after its return all is there again",
    },
  },
  {
    what: "etcd stops",
    original: "exit 0 within a second",
    ours: "the page goes on, `dynamo_metrics_etcd_connected` 0",
    why: "the load comes over NATS",
    test: {
      file: "faults/etcd_is_stopped_test.ts",
      title: "while etcd is stopped the page goes on and says so; after its return new keys are followed",
    },
  },
  {
    what: "10,000 workers: the aggregate passes NATS's maximum payload",
    original: "the process ends",
    ours: "the aggregate is left out, warned of once and counted; the page is whole",
    why: "an extra takes nothing from the main job",
    test: {
      file: "faults/aggregate_is_larger_than_nats_takes_test.ts",
      title: "an aggregate larger than NATS takes is left out, and the page has all workers",
    },
  },
  {
    what: "a second `metrics` in the namespace",
    original: "exit 1; after a crash for ten seconds",
    ours: "runs; nothing is written to etcd",
    why: "two replicas are usual",
    test: { file: "metrics_test.ts", title: "two metrics may watch one target, and neither writes to etcd" },
  },
  {
    what: "all workers have answered",
    original: "the round lasts its full second",
    ours: "the round ends",
    why: "the numbers are there",
    test: {
      file: "scrape/scraper_test.ts",
      title: "a round ends when all that are expected have answered, and is quiet where nobody is expected",
    },
  },
  {
    what: "SIGTERM while no worker is there",
    original: "goes on for 30 s, exit 143",
    ours: "exit 0 within 2 s",
    why: "Kubernetes and systemd wait for it",
    test: {
      file: "faults/we_are_told_to_end_test.ts",
      title: "told to end while ${name}, metrics ends with 0",
    },
  },
  {
    what: "`--push`",
    original: 'POST to the group `job="dynamo_push_metrics"`, which stays for ever',
    ours: "PUT to a group named after host and target, deleted at a clean end",
    why: "two do not overwrite each other, and the dead do not stay; " +
      "`--push-method post --push-instance '' --push-job dynamo_push_metrics` is the original's way",
    test: {
      file: "output/pushgateway_test.ts",
      title:
        "with --push the group is put at the Pushgateway, named after host and target, and deleted at a clean end",
    },
  },
  {
    what: "a usage error",
    original: "exit 2 or 1, several lines; names that NATS cannot carry are taken",
    ours: "exit 2, one line; such names are refused",
    why: "one line says what to change",
    test: {
      file: "cli/metrics_options_test.ts",
      title:
        "metrics ${JSON.stringify(argv)} with ${JSON.stringify(env)} is refused in one line, exit code 2",
    },
  },
  {
    what: "nobody answers",
    original: "`No endpoints found` each second",
    ours:
      "at once, then ever less often, up to once a minute; of workers that are only silent, that they are",
    why: "a log is read",
    test: {
      file: "news/presence_news_test.ts",
      title: "that nobody answers is said at once, then ever less often, up to once a minute",
    },
  },
];
