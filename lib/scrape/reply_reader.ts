import type { Instant } from "../timing.ts";
import { Answer, LoadRead, NO_ENTRY_REJECTED, type ReadReply, readReply } from "./answer.ts";
import { ReplyForm } from "./reply_form.ts";

/** How many forms are known at once; workers of one release have one or two (the order of their endpoints varies). */
const MAX_FORMS = 8;
/** With so many known, one reply in this number is learned from, in place of the form that was used least lately. */
const MISSES = 1_000;

/** Reads replies as `readReply` does, those of a form that it knows in a fifth of the time. */
export class ReplyReader {
  readonly #origin: { readonly service: string; readonly endpoint: string };
  /** The newest used first. */
  #forms: ReplyForm[] = [];
  #misses = 0;

  constructor(origin: { readonly service: string; readonly endpoint: string }) {
    this.#origin = origin;
  }

  read(data: Uint8Array, { request, at }: { readonly request: number; readonly at: Instant }): ReadReply {
    for (const form of this.#forms) {
      const reading = form.read(data);
      if (reading === undefined) continue;
      if (form !== this.#forms[0]) this.#use(form);
      const { worker, serviceVersion, load, endpoints } = reading;
      const outcome = new LoadRead(load);
      const { service } = this.#origin;
      const answer = new Answer({ worker, request, at, service, serviceVersion, outcome, endpoints });
      return { answers: [answer], rejectedEntries: NO_ENTRY_REJECTED };
    }
    const read = readReply(data, { ...this.#origin, request, at });
    if (this.#forms.length < MAX_FORMS || ++this.#misses % MISSES === 0) this.#learn(data, read);
    return read;
  }

  #learn(data: Uint8Array, { answers, detail }: ReadReply): void {
    const [answer, ...more] = answers;
    if (answer?.outcome.kind !== "load" || more.length > 0 || detail !== undefined) return;
    const { worker, serviceVersion, outcome: { load }, endpoints } = answer;
    if (data.length > MAX_LEARNED_BYTES) return;
    const form = ReplyForm.learn(data.slice(), { worker, serviceVersion, load, endpoints }, this.#origin);
    if (form !== undefined) this.#use(form);
  }

  #use(form: ReplyForm): void {
    this.#forms = [form, ...this.#forms.filter((known) => known !== form)].slice(0, MAX_FORMS);
  }
}

/** A longer reply is of a process with many endpoints, of which there are few. */
const MAX_LEARNED_BYTES = 65_536;
