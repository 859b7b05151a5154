import { Answer, type ReadReply, readReply, type ReplyOrigin } from "./answer.ts";
import { ReplyForm } from "./reply_form.ts";

/** How many forms are known at once; workers of one release have one or two (the order of their endpoints varies). */
const MAX_FORMS = 8;
/** With so many known, one reply in this number is learned from, in place of the form that was used least lately. */
const MISSES = 1_000;

/** Who is asked, and about what. */
export type AskedEndpoint = Pick<ReplyOrigin, "service" | "endpoint">;

/** Which question, and when an answer came. */
export type Question = Pick<ReplyOrigin, "request" | "at">;

/** Reads replies as `readReply` does, those of a form that it knows in a fifth of the time. */
export class ReplyReader {
  readonly #asked: AskedEndpoint;
  #question: Question | undefined;
  #origin: ReplyOrigin | undefined;
  /** The newest used first. */
  #forms: ReplyForm[] = [];
  #misses = 0;

  constructor(asked: AskedEndpoint) {
    this.#asked = asked;
  }

  /**
   * The answer in a reply of a form that is known; undefined of another, which is to be learned from. `question` is the same
   * object for all replies that come at once.
   */
  known(data: Uint8Array, question: Question): Answer | undefined {
    for (const form of this.#forms) {
      const reading = form.read(data);
      if (reading === undefined) continue;
      if (form !== this.#forms[0]) this.#use(form);
      return new Answer(reading, this.#originOf(question));
    }
    return undefined;
  }

  /** Reads a reply of any form. */
  learn(data: Uint8Array, question: Question): ReadReply {
    const read = readReply(data, this.#originOf(question));
    if (this.#forms.length < MAX_FORMS || ++this.#misses % MISSES === 0) this.#learn(data, read);
    return read;
  }

  #originOf(question: Question): ReplyOrigin {
    if (question !== this.#question) {
      this.#question = question;
      this.#origin = { ...this.#asked, ...question };
    }
    return this.#origin!;
  }

  #learn(data: Uint8Array, { answers, detail }: ReadReply): void {
    const [answer, ...more] = answers;
    if (answer?.outcome.kind !== "load" || more.length > 0 || detail !== undefined) return;
    const { worker, serviceVersion, outcome, endpoints } = answer;
    if (data.length > MAX_LEARNED_BYTES) return;
    const form = ReplyForm.learn(data.slice(), { worker, serviceVersion, outcome, endpoints }, this.#asked);
    if (form !== undefined) this.#use(form);
  }

  #use(form: ReplyForm): void {
    this.#forms = [form, ...this.#forms.filter((known) => known !== form)].slice(0, MAX_FORMS);
  }
}

/** A longer reply is of a process with many endpoints, of which there are few. */
const MAX_LEARNED_BYTES = 65_536;
