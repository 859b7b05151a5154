import type { WatchSettings } from "../cli/watch_options.ts";
import { storedRanges } from "../discovery/directory.ts";
import { type PageTarget, parsePageTargets } from "../discovery/page_targets.ts";
import { FILE_EXPIRES_AFTER_MS, parseFileName } from "../dynamo/file_name.ts";
import { Monitor, type MonitorRecorder } from "../monitor/monitor.ts";
import type { Clock } from "../timing.ts";
import { EtcdMirror } from "../transport/etcd_mirror.ts";
import { FileStore } from "../transport/file_store.ts";
import { NatsLink } from "../transport/nats.ts";
import { ignoreStraySocketErrors } from "../transport/stray_errors.ts";
import { WatchedFile } from "../transport/watched_file.ts";
import { warnOfUnused } from "./unused_variables.ts";

export interface WatchOptions {
  /** What NATS knows the connection as. */
  readonly name: string;
  readonly recorder: MonitorRecorder;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long NATS and etcd wait for what else there is to do at the start: to load the etcd library takes 0.1 s alone. */
  readonly connectAfterMs?: number;
  /** Gets what is opened, to be closed in the reverse order. */
  readonly ends: AsyncDisposableStack;
}

/** A monitor of the target, which does not run yet, and what it watches by; nothing of that need be there. */
export function openWatch(
  settings: WatchSettings,
  { name, recorder, clock, signal, connectAfterMs = 0, ends }: WatchOptions,
): { readonly monitor: Monitor; readonly nats: NatsLink | undefined } {
  ignoreStraySocketErrors();
  const { etcd, unused } = settings.connections;
  warnOfUnused(unused, {
    nats: settings.withNats,
    etcd: etcd !== undefined && settings.fileStore === undefined,
  });
  const isNeeded = () => monitor.needsNats;
  const nats = settings.withNats
    ? ends.use(
      new NatsLink({ ...settings.connections.nats, name, isNeeded, signal, beginAfterMs: connectAfterMs }),
    )
    : undefined;
  const store = openStore(settings, { signal, beginAfterMs: connectAfterMs });
  if (store) ends.use(store);
  let pageTargets: readonly PageTarget[] = [];
  if (settings.workerUrlFile !== undefined) {
    const path = settings.workerUrlFile;
    const onText = (text: string) => void (pageTargets = parsePageTargets(text));
    ends.use(new WatchedFile({ path, what: "the list of workers' pages", onText, signal }));
  }
  const { target, pollIntervalMs, limits, channels, workerUrls } = settings;
  const monitor: Monitor = ends.use(
    new Monitor({
      target,
      nats,
      store,
      clock,
      recorder,
      pollIntervalMs,
      channels,
      workerUrls,
      pageTargets: () => pageTargets,
      limits,
    }),
  );
  return { monitor, nats };
}

function openStore(
  { target, fileStore, connections }: WatchSettings,
  begin: { readonly signal: AbortSignal; readonly beginAfterMs: number },
): EtcdMirror | FileStore | undefined {
  const ranges = storedRanges(target);
  if (fileStore !== undefined) {
    return new FileStore(ranges, {
      ...fileStore,
      keyOf: parseFileName,
      expiresAfterMs: FILE_EXPIRES_AFTER_MS,
      signal: begin.signal,
    });
  }
  return connections.etcd &&
    new EtcdMirror(ranges, { ...connections.etcd, ...begin });
}
