import { infoText, pingText, type ServiceInstance, statsText } from "../micro/replies.ts";
import { serviceSubject, type Verb } from "../micro/subjects.ts";
import type { NatsLink } from "../transport/nats.ts";

const ANSWERS: Readonly<Record<Verb, (service: ServiceInstance) => string>> = {
  PING: pingText,
  INFO: infoText,
  STATS: statsText,
};

/**
 * The instances of one NATS service over one connection: each answers for itself, to questions for all services, for
 * this one and for its instance. npm:nats' own services leave out `last_error`, without which the original `metrics`
 * takes no data.
 */
export class ServiceGroup {
  readonly #link: NatsLink;
  readonly #name: string;
  readonly #instances = new Map<string, Member>();
  #endShared: () => void = () => {};

  constructor(link: NatsLink, name: string) {
    this.#link = link;
    this.#name = name;
  }

  /** Lets the instance answer, in the place of one with the same id. */
  add(instance: ServiceInstance): void {
    this.remove(instance.id);
    if (this.#instances.size === 0) this.#endShared = this.#answerShared();
    const subscribed = this.#answer(
      (verb) => serviceSubject(verb, this.#name, instance.id),
      () => [instance],
    );
    this.#instances.set(instance.id, { instance, end: subscribed });
  }

  /** Ends the answers of an instance; without any the service is gone. */
  remove(id: string): void {
    const member = this.#instances.get(id);
    if (member === undefined) return;
    member.end();
    this.#instances.delete(id);
    if (this.#instances.size === 0) this.#endShared();
  }

  #answerShared(): () => void {
    const all = () => [...this.#instances.values()].map(({ instance }) => instance);
    const ends = new DisposableStack();
    ends.defer(this.#answer((verb) => serviceSubject(verb), all));
    ends.defer(this.#answer((verb) => serviceSubject(verb, this.#name), all));
    return () => ends.dispose();
  }

  #answer(subject: (verb: Verb) => string, instances: () => readonly ServiceInstance[]): () => void {
    const ends = new DisposableStack();
    for (const verb of Object.keys(ANSWERS) as Verb[]) {
      ends.use(this.#link.subscribe(subject(verb), ({ reply }) => {
        if (reply === undefined || reply === "") return;
        for (const instance of instances()) this.#link.publish(reply, ANSWERS[verb](instance));
      }));
    }
    return () => ends.dispose();
  }
}

interface Member {
  readonly instance: ServiceInstance;
  readonly end: () => void;
}
