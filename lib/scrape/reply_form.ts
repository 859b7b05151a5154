import { isDeepStrictEqual } from "node:util";
import type { Load, Mutable, SpecDecode } from "../dynamo/load.ts";
import { parseInstanceSubject } from "../dynamo/subject.ts";
import { type WorkerId, workerIdFromHex } from "../dynamo/worker_id.ts";
import { EndpointCounters, LoadRead, type Said } from "./answer.ts";
import { type FormSlot, JsonForm, type Slot, slotsOf } from "./json_form.ts";

/** What a reply of a known form says: one worker's load, and its counters. */
export type FormReading = Said & { readonly outcome: LoadRead };

/** The number in a slot becomes this field. */
interface FieldSlot<Field> {
  readonly field: Field;
  readonly slot: number;
}

type LoadField = Exclude<keyof Load, "shape" | "specDecode">;
type SpecField = Exclude<keyof SpecDecode, "acceptedTokensPerPosition">;
type CounterField = Exclude<keyof EndpointCounters, "endpoint">;

interface EndpointSlots {
  readonly endpoint: string;
  readonly worker: number;
  readonly counters: readonly FieldSlot<CounterField>[];
}

const COUNTERS: Readonly<Record<string, CounterField>> = {
  num_requests: "requests",
  num_errors: "errors",
  processing_time: "processingSeconds",
};
const WORKER_COUNTS: Readonly<Record<string, LoadField>> = {
  request_active_slots: "activeSlots",
  request_total_slots: "totalSlots",
  num_requests_waiting: "requestsWaiting",
};
const KV_COUNTS: Readonly<Record<string, LoadField>> = {
  kv_active_blocks: "activeBlocks",
  kv_total_blocks: "totalBlocks",
};
const RATIOS: Readonly<Record<string, LoadField>> = {
  gpu_cache_usage_perc: "cacheUsageRatio",
  gpu_prefix_cache_hit_rate: "prefixHitRatio",
};
const RANK = "data_parallel_rank";
const SPEC_COUNTS: Readonly<Record<string, SpecField>> = {
  num_spec_tokens: "specTokens",
  num_drafts: "drafts",
  num_draft_tokens: "draftTokens",
  num_accepted_tokens: "acceptedTokens",
};
const SPEC_POSITIONS = "num_accepted_tokens_per_pos";

/**
 * Reads the replies of one component's workers by the form that they share, straight from their bytes: a fifth of what
 * decoding them takes. It reads no more than a reply of one worker with load, and that as `readReply` does.
 */
export class ReplyForm {
  readonly #form: JsonForm;
  readonly #learned: FormReading;
  readonly #endpoints: readonly EndpointSlots[];
  readonly #unread: Load;
  readonly #counts: readonly FieldSlot<LoadField>[];
  readonly #ratios: readonly FieldSlot<LoadField>[];
  readonly #rank: number | undefined;
  readonly #spec: readonly FieldSlot<SpecField>[];
  readonly #positions: readonly number[];
  /** The ids of workers by their lower 32 bits. */
  readonly #workers = new Map<number, { readonly upper: number; readonly id: WorkerId }>();

  /**
   * Learns from a reply and what `readReply` read of it. Undefined when there is no form in it that reads it so.
   */
  static learn(
    data: Uint8Array,
    learned: FormReading,
    { service, endpoint }: { readonly service: string; readonly endpoint: string },
  ): ReplyForm | undefined {
    const fields = slotsOf(data)?.flatMap((slot) => toField(data, slot));
    if (fields === undefined) return undefined;
    const form = new ReplyForm(data, { fields, learned, service, endpoint });
    const read = form.read(data);
    return isDeepStrictEqual(read, learned) ? form : undefined;
  }

  private constructor(
    data: Uint8Array,
    { fields, learned, service, endpoint }: {
      readonly fields: readonly FormField[];
      readonly learned: FormReading;
      readonly service: string;
      readonly endpoint: string;
    },
  ) {
    this.#form = new JsonForm(data, fields.map(({ slot }) => slot));
    this.#learned = learned;
    this.#unread = unread(learned.outcome.load);
    const slotAt = (path: string) => {
      const slot = fields.findIndex((field) => field.path === path);
      return slot < 0 ? undefined : slot;
    };
    const slotsAt = <Field>(parent: string, names: Readonly<Record<string, Field>>): FieldSlot<Field>[] =>
      Object.entries(names).flatMap(([name, field]) => {
        const slot = slotAt(`${parent}/${name}`);
        return slot === undefined ? [] : [{ field, slot }];
      });
    const endpoints = fields.flatMap(({ path, subject }, worker) =>
      subject === undefined ? [] : [{
        path: path.slice(0, -"/subject".length),
        name: parseInstanceSubject(subject, service)?.endpoint ?? "",
        worker,
      }]
    );
    this.#endpoints = endpoints.map(({ path, name, worker }) => ({
      endpoint: name,
      worker,
      counters: slotsAt(path, COUNTERS),
    }));
    const record = `${endpoints.find(({ name }) => name === endpoint)?.path}/data`;
    const isNested = learned.outcome.load.shape === "nested";
    const ofWorker = isNested ? `${record}/worker_stats` : record;
    const ofKv = isNested ? `${record}/kv_stats` : record;
    this.#counts = [...slotsAt(ofWorker, WORKER_COUNTS), ...slotsAt(ofKv, KV_COUNTS)];
    this.#ratios = slotsAt(ofKv, RATIOS);
    this.#rank = slotAt(`${ofWorker}/${RANK}`);
    const ofSpec = `${record}/spec_decode_stats`;
    this.#spec = isNested ? slotsAt(ofSpec, SPEC_COUNTS) : [];
    this.#positions = fields.flatMap(({ path }, slot) =>
      path.startsWith(`${ofSpec}/${SPEC_POSITIONS}/`) ? [slot] : []
    );
  }

  /** Undefined for a reply of another form, or with a number that needs a closer look. */
  read(data: Uint8Array): FormReading | undefined {
    if (!this.#form.matches(data)) return undefined;
    const worker = this.#worker();
    const load = worker === undefined ? undefined : this.#load();
    const endpoints = load && this.#counters();
    if (worker === undefined || load === undefined || endpoints === undefined) return undefined;
    return { worker, serviceVersion: this.#learned.serviceVersion, outcome: new LoadRead(load), endpoints };
  }

  /** The one whose endpoints these all are. */
  #worker(): WorkerId | undefined {
    const { values, uppers } = this.#form;
    const [first, ...others] = this.#endpoints;
    if (first === undefined) return undefined;
    const lower = values[first.worker]!;
    const upper = uppers[first.worker]!;
    for (const { worker } of others) {
      if (values[worker] !== lower || uppers[worker] !== upper) return undefined;
    }
    const known = this.#workers.get(lower);
    if (known?.upper === upper) return known.id;
    const id = workerIdFromHex(upper.toString(16) + lower.toString(16).padStart(8, "0"))!;
    if (this.#workers.size >= MAX_WORKERS) this.#workers.clear();
    this.#workers.set(lower, { upper, id });
    return id;
  }

  #load(): Load | undefined {
    const { values, fractions } = this.#form;
    const load: Mutable<Load> = { ...this.#unread };
    for (const { field, slot } of this.#counts) {
      const value = values[slot]!;
      if (value !== value) return undefined;
      load[field] = value;
    }
    for (const { field, slot } of this.#ratios) {
      const integer = values[slot]!;
      const ratio = integer === integer ? Math.fround(integer) : toF32(fractions[slot]!);
      if (ratio === undefined) return undefined;
      load[field] = ratio;
    }
    if (this.#rank !== undefined) {
      const rank = values[this.#rank]!;
      if (!isU32(rank)) return undefined;
      load.dpRank = rank;
    }
    if (load.specDecode === undefined) return load;
    const specDecode = this.#specDecode();
    if (specDecode === undefined) return undefined;
    load.specDecode = specDecode;
    return load;
  }

  #specDecode(): SpecDecode | undefined {
    const { values } = this.#form;
    const spec: Partial<Record<SpecField, number>> = {};
    for (const { field, slot } of this.#spec) {
      const value = values[slot]!;
      if (!isU32(value)) return undefined;
      spec[field] = value;
    }
    if (this.#learned.outcome.load.specDecode?.acceptedTokensPerPosition === undefined) return spec;
    const acceptedTokensPerPosition = this.#positions.map((slot) => values[slot]!);
    return acceptedTokensPerPosition.every(isU32) ? { ...spec, acceptedTokensPerPosition } : undefined;
  }

  #counters(): readonly EndpointCounters[] | undefined {
    const read = this.#endpoints.map((endpoint) => this.#countersOf(endpoint));
    return read.includes(undefined) ? undefined : read as EndpointCounters[];
  }

  #countersOf({ endpoint, counters }: EndpointSlots): EndpointCounters | undefined {
    const read: Mutable<EndpointCounters> = new EndpointCounters(endpoint);
    for (const { field, slot } of counters) {
      const value = this.#form.values[slot]!;
      if (value !== value) return undefined;
      read[field] = field === "processingSeconds" ? value / 1e9 : value;
    }
    return read;
  }
}

/** More than a target has; ids of workers that went are forgotten with all others. */
const MAX_WORKERS = 131_072;

/** A slot with its path, and the subject that it is the end of. */
interface FormField {
  readonly path: string;
  readonly slot: FormSlot;
  readonly subject?: string;
}

/** None for what is the same in all replies of a form: the version, a subject but for the worker's id at its end. */
function toField(data: Uint8Array, slot: Slot): FormField[] {
  const path = slot.path.join("/");
  if (path === "version") return [];
  if (!/^endpoints\/\d+\/subject$/.test(path)) return [{ path, slot }];
  const subject = new TextDecoder().decode(data.subarray(slot.start, slot.end));
  const [id] = /(?<=-)[0-9a-fA-F]{1,16}$/.exec(subject) ?? [];
  if (id === undefined) return [];
  return [{ path, slot: { kind: "hex", start: slot.end - id.length, end: slot.end }, subject }];
}

/**
 * The same load with numbers that none has: a field for which a form has no slot is noticed by them, and one that is filled
 * in has its place already, be it an integer or not.
 */
function unread(load: Load): Load {
  const isRatio = (field: string) => Object.values(RATIOS).includes(field as LoadField);
  return Object.fromEntries(
    Object.entries(load).map(([field, value]) =>
      typeof value === "number" ? [field, isRatio(field) ? -0.5 : -1] : [field, value]
    ),
  ) as unknown as Load;
}

function isU32(value: number): boolean {
  return value <= 0xffff_ffff; // Not of NaN.
}

/** Undefined where the error of what was read is too near to a number between two of 32 bits. */
function toF32(fraction: number): number | undefined {
  const rounded = Math.fround(fraction);
  const isSure = Math.fround(fraction * (1 - 2 ** -49)) === rounded &&
    Math.fround(fraction * (1 + 2 ** -49)) === rounded;
  return isSure ? rounded : undefined;
}
