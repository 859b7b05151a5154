import assert from "node:assert/strict";

/** A page in the text format, to be asked for samples. */
export class PageReader {
  readonly #samples: readonly {
    readonly name: string;
    readonly labels: Record<string, string>;
    readonly value: number;
  }[];

  constructor(readonly text: string) {
    assert.ok(text.endsWith("\n"), "a page is whole when it ends with a line feed");
    this.#samples = text.trimEnd().split("\n").filter((line) => !line.startsWith("#")).map((line) => {
      const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
      assert.ok(match, `not a sample: ${line}`);
      const [, name = "", labels = "", value = ""] = match;
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((
        [, label, text],
      ) => [label, text]);
      return { name, labels: Object.fromEntries(pairs), value: Number(value.replace("Inf", "Infinity")) };
    });
  }

  /** The values of all samples of a metric that have these labels. */
  values(name: string, labels: Readonly<Record<string, string>> = {}): number[] {
    const wanted = Object.entries(labels);
    return this.#samples
      .filter((sample) =>
        sample.name === name && wanted.every(([label, text]) => sample.labels[label] === text)
      )
      .map(({ value }) => value);
  }

  /** The value of the one sample of a metric that has these labels; undefined without one. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const values = this.values(name, labels);
    assert.ok(values.length <= 1, `${name} has ${values.length} samples`);
    return values[0];
  }

  /** The labels of each sample of a metric. */
  labels(name: string): Readonly<Record<string, string>>[] {
    return this.#samples.filter((sample) => sample.name === name).map(({ labels }) => labels);
  }

  /** The values of a metric by worker. */
  byWorker(name: string): Record<string, number> {
    const samples = this.#samples.filter((sample) => sample.name === name);
    return Object.fromEntries(samples.map(({ labels, value }) => [labels.worker_id!, value]));
  }

  /** The state of each worker on the page. */
  states(): Record<string, string> {
    const samples = this.#samples.filter(({ name }) => name === "dynamo_metrics_worker_state");
    return Object.fromEntries(samples.map(({ labels }) => [labels.worker_id!, labels.state!]));
  }

  /** The workers that have load on the page. */
  loaded(): string[] {
    return Object.keys(this.byWorker("llm_kv_blocks_active"));
  }
}
