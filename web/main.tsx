/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { render } from "preact";
import { App } from "./app.tsx";
import { Model } from "./model.ts";
import { parseRoute } from "./route.ts";
import { joinFeed } from "./shared_feed.ts";
import { titleOf } from "./title.ts";

/** Messages are shown at most once a second, whatever their number; ages grow as often. */
const FRAME_MS = 1_000;

const root = document.getElementById("app")!;
let drawnMs = -Infinity;
let timer: ReturnType<typeof setTimeout> | undefined;
let frame: number | undefined;

const model = new Model(({ atOnce }) => {
  entitle(); // In the background no frame is drawn.
  draw(atOnce ? 0 : drawnMs + FRAME_MS - performance.now());
});
draw(0);
addEventListener("hashchange", entitle);
const feed = joinFeed(model);
// A page that the browser keeps for the way back reads nothing.
addEventListener("pagehide", () => feed.pause());
addEventListener("pageshow", () => feed.resume());

function entitle(): void {
  document.title = titleOf(model, parseRoute(location.hash));
}

function draw(inMs: number): void {
  if (inMs > 0 && timer !== undefined) return;
  clearTimeout(timer);
  timer = setTimeout(() => {
    timer = undefined;
    frame ??= requestAnimationFrame(() => setTimeout(show)); // No frame comes in the background.
  }, Math.max(0, inMs));
}

/** In a task of its own, not in the frame's, which has the browser's part: the user's keys are heard in between. */
function show(): void {
  frame = undefined;
  drawnMs = performance.now();
  render(<App model={model} />, root);
  draw(FRAME_MS);
}
