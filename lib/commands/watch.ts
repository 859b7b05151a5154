import type { WatchSettings } from "../cli/watch_options.ts";
import { Deployment } from "../deployment/deployment.ts";
import type { Recorder } from "../deployment/recorder.ts";
import { storedRanges } from "../discovery/directory.ts";
import { type PageTarget, parsePageTargets } from "../discovery/page_targets.ts";
import { FILE_EXPIRES_AFTER_MS, parseFileName } from "../dynamo/file_name.ts";
import { logNews } from "../news/log_news.ts";
import type { Clock } from "../timing.ts";
import { EtcdMirror } from "../transport/etcd_mirror.ts";
import { fileLimit } from "../transport/file_limit.ts";
import { FileStore } from "../transport/file_store.ts";
import type { KeyStore } from "../transport/key_store.ts";
import { NatsLink } from "../transport/nats.ts";
import { ignoreStraySocketErrors } from "../transport/stray_errors.ts";
import { WatchedFile } from "../transport/watched_file.ts";
import { warnOfUnused } from "./unused_variables.ts";

export interface WatchOptions {
  /** What NATS knows the connection as. */
  readonly name: string;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Gets what is opened, to be closed in the reverse order. */
  readonly ends: AsyncDisposableStack;
}

/** Opens the connections and a deployment of one target. Polling starts with `run`. The servers may be away. */
export function openWatch(
  settings: WatchSettings,
  { name, recorder, clock, signal, ends }: WatchOptions,
): { readonly deployment: Deployment; readonly nats: NatsLink | undefined } {
  ignoreStraySocketErrors();
  const { etcd, unused } = settings.connections;
  warnOfUnused(unused, {
    nats: settings.withNats,
    etcd: etcd !== undefined && settings.fileStore === undefined,
  });
  const nats = settings.withNats
    ? ends.use(new NatsLink({ ...settings.connections.nats, name, signal }))
    : undefined;
  const store = openStore(settings, { signal, ends });
  const pageTargets = openPageTargets(settings, { signal, ends });
  const { target, pollIntervalMs, limits, channels, workerUrls } = settings;
  const deployment = ends.use(
    new Deployment({
      targets: [target],
      nats,
      store,
      clock,
      recorder,
      pollIntervalMs,
      channels,
      workerUrls,
      pageTargets,
      limits,
      fileLimit: fileLimit(),
    }),
  );
  ends.use(logNews(deployment));
  return { deployment, nats };
}

type Opening = Pick<WatchOptions, "signal" | "ends">;

function openStore(
  { target, fileStore, connections: { etcd } }: WatchSettings,
  { signal, ends }: Opening,
): KeyStore | undefined {
  const ranges = storedRanges([target]);
  if (fileStore !== undefined) {
    const file = { keyOf: parseFileName, expiresAfterMs: FILE_EXPIRES_AFTER_MS, signal };
    return ends.use(new FileStore(ranges, { ...fileStore, ...file }));
  }
  return etcd && ends.use(new EtcdMirror(ranges, { ...etcd, signal }));
}

/** The pages that a file lists, as it is at the moment. */
function openPageTargets(
  { workerUrlFile: path }: WatchSettings,
  { signal, ends }: Opening,
): () => readonly PageTarget[] {
  let pageTargets: readonly PageTarget[] = [];
  if (path !== undefined) {
    const onText = (text: string) => void (pageTargets = parsePageTargets(text));
    ends.use(new WatchedFile({ path, what: "the list of workers' pages", onText, signal }));
  }
  return () => pageTargets;
}
