import type { Load } from "./load.ts";
import type { Target } from "./target.ts";
import { type WorkerId, workerIdToHex } from "./worker_id.ts";

/** What the pages of a release have. */
export interface WorkerPageForm {
  /** `dynamo_component_kvstats_*`, 0.5.0 to 0.8.1. */
  readonly withKvStats: boolean;
  /** The label `worker_id` on each sample of Dynamo's own, since 1.1.1. */
  readonly withWorkerId: boolean;
  /** vLLM's families, which Dynamo's mocker has since 1.3.1. */
  readonly withVllm: boolean;
}

/** One gauge of one sample. */
interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * The page of a worker in the Prometheus text format: what {@link parseWorkerPage} reads of it, in the order of Dynamo's
 * pages (by name).
 */
export function workerPageText(
  form: WorkerPageForm,
  page: { readonly target: Target; readonly worker: WorkerId; readonly model: string; readonly load: Load },
): string {
  const { target, worker, model, load } = page;
  const component = { dynamo_component: target.component };
  const rest = {
    dynamo_namespace: target.namespace,
    ...(form.withWorkerId && { worker_id: workerIdToHex(worker) }),
  };
  const { activeSlots, requestsWaiting = 0 } = load;
  const gauges: Gauge[] = [{
    name: "dynamo_component_inflight_requests",
    help: "Number of requests currently being processed by work handler",
    labels: { ...component, dynamo_endpoint: target.endpoint, ...rest },
    value: activeSlots + requestsWaiting,
  }];
  if (form.withKvStats) gauges.push(...kvStats(load, { ...component, ...rest }));
  if (form.withVllm) gauges.push(...vllm(load, { engine: "0", model_name: model }));
  return gauges.map(gaugeText).join("");
}

function kvStats(load: Load, labels: Gauge["labels"]): Gauge[] {
  const gauge = (name: string, help: string, value: number) => ({
    name: `dynamo_component_kvstats_${name}`,
    help,
    labels,
    value,
  });
  return [
    gauge("active_blocks", "Number of active KV cache blocks currently in use", load.activeBlocks),
    gauge(
      "gpu_cache_usage_percent",
      "GPU cache usage as a percentage (0.0-1.0)",
      load.cacheUsageRatio ?? usage(load),
    ),
    gauge(
      "gpu_prefix_cache_hit_rate",
      "GPU prefix cache hit rate as a percentage (0.0-1.0)",
      load.prefixHitRatio ?? 0,
    ),
    gauge("total_blocks", "Total number of KV cache blocks available", load.totalBlocks),
  ];
}

/** Usage is what the used blocks of the events are of the card's: no event and no card says another. */
function vllm(load: Load, labels: Gauge["labels"]): Gauge[] {
  const gauge = (name: string, help: string, value: number) => ({
    name: `vllm:${name}`,
    help,
    labels,
    value,
  });
  return [
    gauge(
      "gpu_cache_usage_perc",
      "Compatibility alias for KV-cache usage as a fraction of available cache blocks.",
      usage(load),
    ),
    gauge("kv_cache_usage_perc", "KV-cache usage as a fraction of available cache blocks.", usage(load)),
    gauge("num_requests_running", "Number of requests currently running on GPU.", load.activeSlots),
    gauge("num_requests_waiting", "Number of requests waiting to be processed.", load.requestsWaiting ?? 0),
  ];
}

function usage({ activeBlocks, totalBlocks }: Load): number {
  return totalBlocks === 0 ? 0 : activeBlocks / totalBlocks;
}

function gaugeText({ name, help, labels, value }: Gauge): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`).join();
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name}{${pairs}} ${value}\n`;
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => character === "\n" ? "\\n" : `\\${character}`);
}
