import assert from "node:assert/strict";
import type { FeedListener } from "../../web/feed.ts";
import { FleetView } from "../../lib/view/fleet_view.ts";
import { type FromTab, SharedStream, type TabPort, type ToTab } from "../../web/shared_stream.ts";
import type { Aggregate } from "../../lib/exposition/api_v1.ts";

/** A tab that takes what it is told only when a test says so. */
class FakeTab implements TabPort {
  readonly told: ToTab[] = [];
  onmessage: ((event: MessageEvent<FromTab>) => void) | null = null;

  postMessage(message: ToTab): void {
    this.told.push(message);
  }

  say(what: FromTab): void {
    this.onmessage!(new MessageEvent("message", { data: what }));
  }

  /** What it was told since the last call, in short; it takes all of it. */
  took(): string[] {
    const told = this.told.splice(0).map((message) =>
      "lost" in message ? message.lost : `${message.event} ${JSON.parse(message.data).seq ?? ""}`.trim()
    );
    for (const _ of told) this.say("took");
    return told;
  }
}

class Played {
  listener!: FeedListener;
  readonly calls: string[] = [];
  readonly shared = new SharedStream((listener) => {
    this.listener = listener;
    this.calls.push("start");
    return { pause: () => void this.calls.push("pause"), resume: () => void this.calls.push("resume") };
  });

  join(): FakeTab {
    const tab = new FakeTab();
    this.shared.join(tab);
    return tab;
  }

  send(event: "state" | "change" | "alive", message: object = {}): void {
    this.listener.onMessage(event, JSON.stringify({ now: at(0), ...message }));
  }
}

const head = {
  namespace: "n",
  component: "c",
  endpoint: "e",
  up: true,
  needs_nats: true,
  aggregate: {
    workers: { responding: 2, silent: 0, discovered: 0, no_data: 0, undecodable: 0 },
  } as Aggregate,
};

Deno.test("tabs are told the same, and one that comes later what the stream has told so far", () => {
  const played = new Played();
  const first = played.join();
  assert.deepEqual(first.took(), []);
  const workers = ["1", "2", "3"].map((id) => ({
    id,
    state: "responding",
    channels: ["stats"],
    kv_blocks_used: 7,
    ...(id === "3" ? {} : { last_seen_at: at(0) }),
  }));
  played.send("state", { seq: 1, at: at(0), targets: [{ ...head, workers }] });
  const change = {
    ...head,
    changed: [{ ...workers[0]!, model: "m" }],
    numbers: { id: ["2"], kv_blocks_used: [9] },
    gone: ["3"],
    seen_at: at(2),
    not_seen: [],
  };
  assert.deepEqual(first.took(), ["state 1"]);
  played.send("change", { seq: 2, at: at(2), now: at(3), targets: [change] });
  const second = played.join();
  const { data } = second.told[0] as { data: string };
  const { now, ...state } = JSON.parse(data);
  assert.deepEqual(state, {
    seq: 2,
    at: at(2),
    targets: [{
      ...head,
      changes: [],
      workers: [{ ...workers[0], model: "m" }, { ...workers[1], kv_blocks_used: 9, last_seen_at: at(2) }],
    }],
  });
  assert.ok(Date.parse(now) >= Date.parse(at(3)), now);
  const view = new FleetView();
  view.replace(JSON.parse(data));
  assert.deepEqual([first.took(), second.took()], [["change 2"], ["state 2"]]);
  played.send("alive");
  assert.deepEqual([first.took(), second.took()], [["alive"], ["alive"]]);
  assert.deepEqual(played.calls, ["start", "resume"]);
});

Deno.test("a tab that takes nothing is told nothing more, and then the whole once", () => {
  const played = new Played();
  const [frozen, live] = [played.join(), played.join()];
  const targets = [{ ...head, workers: [] }];
  played.send("state", { seq: 1, at: at(1), targets });
  live.took();
  for (let seq = 2; seq <= 9; seq++) {
    played.send("change", { seq, at: at(seq), targets: [{ ...head, changed: [], gone: [], not_seen: [] }] });
    assert.deepEqual(live.took(), [`change ${seq}`]);
  }
  assert.equal(frozen.told.length, 1);
  assert.deepEqual(frozen.took(), ["state 1"]);
  assert.deepEqual(frozen.took(), ["state 9"]);
  played.send("state", { seq: 10, at: at(10), targets });
  assert.deepEqual([frozen.took(), live.took()], [["state 10"], ["state 10"]]);
});

Deno.test("each tab is told of a loss, one that comes later too, once for each failure", () => {
  const played = new Played();
  const [first, frozen] = [played.join(), played.join()];
  played.send("state", { seq: 1, at: at(1), targets: [] });
  first.took();
  played.listener.onLost("Gone.");
  assert.deepEqual([first.took(), first.took()], [["Gone."], []]);
  played.listener.onLost("Still gone.");
  const late = played.join();
  assert.deepEqual([first.took(), late.took(), late.took()], [["Still gone."], ["Still gone."], []]);
  assert.deepEqual([frozen.took(), frozen.took(), frozen.took()], [["state 1"], ["Still gone."], []]);
  assert.equal(played.calls.at(-1), "resume", "who opens a tab does not wait for the next try");
  played.send("state", { seq: 2, at: at(2), targets: [] });
  assert.deepEqual([first, frozen, late].map((tab) => tab.took()), [["state 2"], ["state 2"], ["state 2"]]);
});

Deno.test("a tab that could not take a message is told the whole when it asks", () => {
  const played = new Played();
  const tab = played.join();
  played.send("state", { seq: 1, at: at(1), targets: [] });
  tab.told.splice(0);
  tab.say("again");
  assert.deepEqual(tab.took(), ["state 1"]);
});

Deno.test("with no tab left nothing is read, and the next tab begins with a new state", () => {
  const played = new Played();
  const [first, second] = [played.join(), played.join()];
  played.send("state", { seq: 1, at: at(1), targets: [] });
  first.say("bye");
  assert.equal(played.calls.at(-1), "resume");
  second.say("bye");
  assert.equal(played.calls.at(-1), "pause");
  const third = played.join();
  assert.equal(played.calls.at(-1), "resume");
  assert.deepEqual(third.took(), []);
  played.send("state", { seq: 5, at: at(5), targets: [] });
  assert.deepEqual([third.took(), first.told.length], [["state 5"], 1]);
});

function at(seconds: number): string {
  return new Date(1_800_000_000_000 + seconds * 1_000).toISOString();
}
