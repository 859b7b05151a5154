import { startFeed } from "./feed.ts";
import type { Feed, FeedEvent, FeedListener } from "./feed.ts";
import { FleetView } from "../lib/view/fleet_view.ts";
import type { Alive } from "../lib/exposition/api_v1.ts";

/** What a tab is told: a message of the stream, or why there is none. It answers each with `took`. */
export type ToTab = { readonly event: FeedEvent; readonly data: string } | { readonly lost: string };

/** `again` asks for the whole state; after `bye` the tab is told nothing more. */
export type FromTab = "took" | "again" | "bye";

/** A tab's end of a MessageChannel, as far as it is used. */
export interface TabPort {
  postMessage(message: ToTab): void;
  onmessage: ((event: MessageEvent<FromTab>) => void) | null;
}

interface Tab {
  readonly port: TabPort;
  /** It has taken what it was told last. Only then it is told more: nothing is queued for a tab that is frozen. */
  isReady: boolean;
  /** It was told nothing yet, or missed something. */
  needsState: boolean;
  /** It was not told yet that the stream is lost, if it is. */
  needsLoss: boolean;
}

/** One stream for all tabs of the page: a browser opens six connections to a server, and a stream takes one for good. */
export class SharedStream {
  readonly #tabs = new Set<Tab>();
  readonly #start: (listener: FeedListener) => Feed;
  #feed: Feed | undefined;
  /** What the stream has told so far, for tabs that come later; undefined before the first state. */
  #fleet: FleetView | undefined;
  #lost: string | undefined;
  /** The server's clock less `performance.now()`, by the message that was fastest. */
  #offsetMs = -Infinity;

  constructor(start: (listener: FeedListener) => Feed = startFeed) {
    this.#start = start;
  }

  join(port: TabPort): void {
    const tab = { port, isReady: true, needsState: true, needsLoss: true };
    this.#tabs.add(tab);
    port.onmessage = ({ data }) => this.#hear(tab, data);
    if (this.#feed === undefined) {
      this.#feed = this.#start({
        onMessage: (event, data) => this.#take(event, data),
        onLost: (why) => this.#lose(why),
      });
      return;
    }
    this.#serve(tab);
    this.#feed.resume();
  }

  #hear(tab: Tab, said: FromTab): void {
    if (said === "bye") {
      this.#tabs.delete(tab);
      if (this.#tabs.size === 0) this.#rest();
      return;
    }
    if (said === "again") tab.needsState = true;
    tab.isReady = true;
    this.#serve(tab);
  }

  /** With nobody to tell nothing is read. */
  #rest(): void {
    this.#feed!.pause();
    this.#fleet = this.#lost = undefined;
  }

  /** Throws what FleetView throws: what cannot be taken here cannot be taken by a tab. */
  #take(event: FeedEvent, data: string): void {
    const message = JSON.parse(data);
    if (event === "state") {
      this.#fleet ??= new FleetView();
      this.#fleet.replace(message);
      this.#offsetMs = -Infinity;
      this.#lost = undefined;
    } else if (event === "change") {
      this.#fleet!.apply(message);
    }
    this.#offsetMs = Math.max(this.#offsetMs, Date.parse((message as Alive).now) - performance.now());
    for (const tab of this.#tabs) {
      if (tab.isReady && (event === "state" || !tab.needsState)) {
        tab.needsState = false;
        this.#tell(tab, { event, data });
      } else if (event !== "alive") {
        tab.needsState = true;
      }
    }
  }

  #lose(why: string): void {
    this.#lost = why;
    for (const tab of this.#tabs) {
      tab.needsState = tab.needsLoss = true;
      this.#serve(tab);
    }
  }

  /** Tells a tab what it lacks. */
  #serve(tab: Tab): void {
    if (!tab.isReady || !tab.needsState) return;
    if (this.#lost !== undefined) {
      if (tab.needsLoss) this.#tell(tab, { lost: this.#lost });
      tab.needsLoss = false;
    } else if (this.#fleet !== undefined) {
      tab.needsState = false;
      this.#tell(tab, { event: "state", data: this.#state() });
    }
  }

  #tell(tab: Tab, message: ToTab): void {
    tab.isReady = false;
    tab.port.postMessage(message);
  }

  /** The stream's `state` as it would be now. */
  #state(): string {
    const now = new Date(performance.now() + this.#offsetMs).toISOString();
    return JSON.stringify({ ...this.#fleet!.state(), now });
  }
}
