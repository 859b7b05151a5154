import { join } from "node:path";

/** The name under which the frontend serves it. */
export const MODEL = "tiny";

/** How the model is made, by the names that Hugging Face's `config.json` has. */
export type ModelConfig = typeof TINY_CONFIG;

/** Writes the smallest model that a frontend takes into the folder: no weights, one token a byte, a chat template. */
export async function writeTinyModel(folder: string, config: ModelConfig = TINY_CONFIG): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries({ ...FILES, "config.json": config })) {
    await Deno.writeTextFile(join(folder, name), JSON.stringify(content));
  }
}

const SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];

/** The letters that GPT-2's byte-level vocabulary has for the 256 bytes. */
function byteLetters(): string[] {
  const range = (first: number, last: number) =>
    Array.from({ length: last - first + 1 }, (_, n) => first + n);
  const printable = [...range(33, 126), ...range(161, 172), ...range(174, 255)];
  return [...printable, ...range(256, 256 + 255 - printable.length)].map((code) =>
    String.fromCodePoint(code)
  );
}

const VOCABULARY = [...SPECIAL, ...byteLetters()];
const FLAGS = { lstrip: false, normalized: false, rstrip: false, single_word: false, special: true };
const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
const MAX_TOKENS = 32_768;

export const TINY_CONFIG = {
  architectures: ["Qwen3ForCausalLM"],
  model_type: "qwen3",
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  max_position_embeddings: MAX_TOKENS,
  vocab_size: VOCABULARY.length,
  bos_token_id: 0,
  eos_token_id: 2,
  torch_dtype: "bfloat16",
  rms_norm_eps: 1e-6,
  rope_theta: 1_000_000,
  tie_word_embeddings: true,
};

const FILES = {
  "tokenizer.json": {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: SPECIAL.map((content, id) => ({ id, content, ...FLAGS })),
    normalizer: null,
    pre_tokenizer: BYTE_LEVEL,
    post_processor: null,
    decoder: BYTE_LEVEL,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(VOCABULARY.map((letter, id) => [letter, id])),
      merges: [],
    },
  },
  "generation_config.json": { eos_token_id: [2], bos_token_id: 0 },
  "tokenizer_config.json": {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: SPECIAL[0],
    eos_token: SPECIAL[2],
    pad_token: SPECIAL[0],
    model_max_length: MAX_TOKENS,
    added_tokens_decoder: Object.fromEntries(SPECIAL.map((content, id) => [id, { content, ...FLAGS }])),
    chat_template:
      "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
  },
};
