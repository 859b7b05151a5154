import { type ModelCard, modelCardPrefix } from "./model_card.ts";
import type { Registered } from "./registered.ts";
import type { Target } from "./target.ts";
import { workerIdToHex } from "./worker_id.ts";

/** What the cards of a release name beside blocks, slots and model. */
export interface ModelCardForm {
  /** The first rank, since 1.0.2. */
  readonly withStartRank: boolean;
  /** What the worker does and needs, and where its model's files are on its own page, since 1.4.2. */
  readonly withWorkerType: boolean;
}

/** What a card says, and what of it is only written. */
export interface WrittenCard extends Required<Omit<ModelCard, "metricsUrl" | "releases">> {
  /** Where the worker's own page is, `http://HOST:PORT`. */
  readonly pageOrigin?: string;
}

/**
 * Key and value of a worker's model card, fields in the order of Dynamo's workers. Of what they write this is what
 * {@link ModelCard} reads, and what names the model.
 */
export function modelCardRecord(target: Target, card: WrittenCard, form: ModelCardForm): Registered {
  const { namespace, component, endpoint } = target;
  const key = modelCardPrefix(target) + workerIdToHex(card.worker);
  const path = card.pageOrigin !== undefined && form.withWorkerType
    ? `${card.pageOrigin}/v1/metadata/${namespace}/${component}/${endpoint}/${card.model}/_base/config.json`
    : `/models/${card.model}/config.json`;
  const text = JSON.stringify({
    type: "Model",
    namespace,
    component,
    endpoint,
    instance_id: 0,
    card_json: {
      display_name: card.model,
      slug: card.model,
      model_info: { hf_config_json: { path } },
      kv_cache_block_size: card.blockSize,
      model_type: "Chat | Completions",
      model_input: "Tokens",
      ...(form.withWorkerType && { worker_type: card.workerType, needs: [] }),
      runtime_config: {
        total_kv_blocks: card.totalBlocks,
        max_num_seqs: card.maxSeqs,
        ...(form.withStartRank && { data_parallel_start_rank: card.startRank }),
        data_parallel_size: card.ranks,
      },
    },
  });
  return { key, value: text.replace('"instance_id":0', `"instance_id":${card.worker}`) };
}
