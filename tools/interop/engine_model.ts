import { join } from "node:path";
import { type ModelConfig, TINY_CONFIG, writeTinyModel } from "./tiny_model.ts";

/** The tiny model in a shape that vLLM's CPU kernels take: they want a head of 64. */
const CONFIG: ModelConfig = { ...TINY_CONFIG, head_dim: 64, num_attention_heads: 2, num_key_value_heads: 1 };

/** Writes the tiny model with random weights, half a megabyte, into the folder. */
export async function writeEngineModel(folder: string): Promise<void> {
  await writeTinyModel(folder, CONFIG);
  await Deno.writeFile(join(folder, "model.safetensors"), safetensors(shapes(CONFIG)));
}

/** The tensors that Qwen3 has, in PyTorch's order of dimensions. */
function shapes(config: ModelConfig): Record<string, readonly number[]> {
  const { hidden_size: hidden, intermediate_size: inner, head_dim: head } = config;
  const [queries, keys] = [head * config.num_attention_heads, head * config.num_key_value_heads];
  const layer: Readonly<Record<string, readonly number[]>> = {
    "input_layernorm": [hidden],
    "post_attention_layernorm": [hidden],
    "mlp.gate_proj": [inner, hidden],
    "mlp.up_proj": [inner, hidden],
    "mlp.down_proj": [hidden, inner],
    "self_attn.q_proj": [queries, hidden],
    "self_attn.k_proj": [keys, hidden],
    "self_attn.v_proj": [keys, hidden],
    "self_attn.o_proj": [hidden, queries],
    "self_attn.q_norm": [head],
    "self_attn.k_norm": [head],
  };
  const layers = Array.from(
    { length: config.num_hidden_layers },
    (_, n) => Object.entries(layer).map(([name, shape]) => [`model.layers.${n}.${name}.weight`, shape]),
  );
  return {
    "model.embed_tokens.weight": [config.vocab_size, hidden],
    "model.norm.weight": [hidden],
    ...Object.fromEntries(layers.flat()),
  };
}

/** A file of these tensors in bfloat16: norms are ones, everything else is small random numbers. */
function safetensors(shapes: Readonly<Record<string, readonly number[]>>): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  const values: number[] = [];
  for (const [name, shape] of Object.entries(shapes)) {
    const first = 2 * values.length;
    const count = shape.reduce((product, length) => product * length);
    for (let n = 0; n < count; n++) values.push(shape.length === 1 ? 1 : 0.02 * gauss());
    header[name] = { dtype: "BF16", shape, data_offsets: [first, 2 * values.length] };
  }
  const json = JSON.stringify(header);
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  const file = new Uint8Array(8 + text.length + 2 * values.length);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  const upper = new DataView(new ArrayBuffer(4));
  values.forEach((value, n) => {
    upper.setFloat32(0, value); // A bfloat16 is the upper half of a float of 32 bits.
    view.setUint16(8 + text.length + 2 * n, upper.getUint16(0), true);
  });
  return file;
}

/** A normally distributed random number (Box and Muller). */
function gauss(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
