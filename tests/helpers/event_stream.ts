import assert from "node:assert/strict";
import type { Alive, Change, Fleet } from "./api_reader.ts";
import { assertSchema } from "./api_schema.ts";

export type StreamMessage =
  | { readonly event: "state"; readonly data: Fleet & Alive }
  | { readonly event: "change"; readonly data: Change & Alive };

/** Reads `/api/v1/stream`, each message held against its schema; `alive` is left out. */
export class EventStream implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  private constructor(body: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = body.pipeThrough(new TextDecoderStream()).getReader();
  }

  static async open(url: string): Promise<EventStream> {
    const response = await fetch(`${url}/api/v1/stream`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    return new EventStream(response.body!);
  }

  /** The next message; undefined when the stream has ended. */
  async next(): Promise<StreamMessage | undefined> {
    for (;;) {
      const block = await this.nextBlock();
      if (block === undefined) return undefined;
      if (block.startsWith("event: alive\n")) parseAlive(block);
      else return parseMessage(block);
    }
  }

  /** Messages up to the first for which `is` holds, all of them. */
  async until(is: (message: StreamMessage) => boolean): Promise<StreamMessage[]> {
    const messages: StreamMessage[] = [];
    for (;;) {
      const message = await this.next();
      assert.ok(message, `the stream ended after ${messages.length} messages`);
      messages.push(message);
      if (is(message)) return messages;
    }
  }

  /** The next message as it is. */
  async nextBlock(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return block;
      }
      const { done, value } = await this.#reader.read();
      if (done) {
        assert.equal(this.#text, "", "the stream ended within a message");
        return undefined;
      }
      this.#text += value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}

/** What an `alive` says. */
export function parseAlive(block: string): Alive {
  const [, json] = /^event: alive\ndata: ([^\n]*)$/.exec(block) ?? [];
  assert.ok(json, `not a sign of life: ${block.slice(0, 100)}`);
  const data = JSON.parse(json);
  assertSchema("alive", data);
  return data;
}

export function parseMessage(block: string): StreamMessage {
  const [, event, json] = /^event: (state|change)\ndata: ([^\n]*)$/.exec(block) ?? [];
  assert.ok(json, `not a message: ${block.slice(0, 100)}`);
  const data = JSON.parse(json);
  assertSchema(event === "state" ? "fleet" : "change", data);
  assert.ok("now" in data, "a message without the server's time");
  return { event, data } as StreamMessage;
}
