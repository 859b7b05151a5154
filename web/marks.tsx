/** Small drawings beside words; the words say the same. */
import { numberText, percentText, STATE_WORDS, UNKNOWN } from "./text.ts";
import { shownName } from "../lib/view/printable.ts";
import type { WaitingWeight } from "../lib/view/waiting.ts";
import type { State } from "../lib/exposition/api_v1.ts";

/** A name from outside: nothing in it changes how the text around it is seen. */
export function Name({ of }: { of: string | undefined }) {
  return of === undefined ? <>{UNKNOWN}</> : <bdi>{shownName(of)}</bdi>;
}

/** A state as shape and word: who cannot tell the colours can tell the shapes. */
export function StateMark({ state }: { state: State }) {
  return <Mark look={`state-${state}`} shape={state} word={STATE_WORDS[state]} />;
}

/** The state of a worker in trouble that its state does not tell. */
export function TroubledMark({ state }: { state: State }) {
  return <Mark look="state-troubled" shape="bad" word={STATE_WORDS[state]} />;
}

/** In the place of a state that says too little. */
export function StuckMark() {
  return <Mark look="state-stuck" shape="bad" word="stuck" />;
}

function Mark({ look, shape, word }: { look: string; shape: keyof typeof SHAPES; word: string }) {
  return (
    <span class={`state ${look}`}>
      <Shape of={shape} />
      <span class="word">{word}</span>
    </span>
  );
}

const SHAPES: Readonly<Record<State | "gone" | "good" | "bad", string>> = {
  responding: "M6 1a5 5 0 1 0 0 10a5 5 0 1 0 0-10z",
  good: "M6 1a5 5 0 1 0 0 10a5 5 0 1 0 0-10z",
  silent: "M6 .8L11.6 11H.4z",
  bad: "M6 .8L11.6 11H.4z",
  no_data: "M1.5 1.5h9v9h-9zM3.5 3.5v5h5v-5z",
  undecodable: "M6 .2L11.8 6L6 11.8L.2 6z",
  discovered: "M6 1a5 5 0 1 0 0 10a5 5 0 1 0 0-10zM6 3a3 3 0 1 1 0 6a3 3 0 1 1 0-6z",
  gone: "M2.5 1.1L6 4.6L9.5 1.1L10.9 2.5L7.4 6L10.9 9.5L9.5 10.9L6 7.4L2.5 10.9L1.1 9.5L4.6 6L1.1 2.5z",
};

export function Shape({ of }: { of: keyof typeof SHAPES }) {
  return (
    <svg class="shape" viewBox="0 0 12 12" width="10" height="10" aria-hidden="true">
      <path d={SHAPES[of]} fill="currentColor" fill-rule="evenodd" />
    </svg>
  );
}

/** Requests that wait, or what else is counted, coloured by its weight. */
export function Waiting({ count, weight }: { count: number | undefined; weight: WaitingWeight }) {
  return <span class={`waiting-${weight}`}>{numberText(count)}</span>;
}

/** From this share on a bar stands out. */
const FULL = 0.9;

/** A share of a whole as bar and percent. */
export function Bar({ ratio, title }: { ratio: number | undefined; title?: string }) {
  if (ratio === undefined) return <span class="unknown">–</span>;
  const width = `${Math.min(100, Math.max(0, ratio * 100))}%`;
  return (
    <span class={ratio >= FULL ? "bar full" : "bar"} title={title}>
      <span class="track" aria-hidden="true">
        <span class="fill" style={{ width }} />
      </span>
      <span class="number">{percentText(ratio)}</span>
    </span>
  );
}
