import "./production.ts";
import { type Key, render, useApp, useInput } from "ink";
import process from "node:process";
import { Writable } from "node:stream";
import { createElement, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { onAbort } from "../timing.ts";
import type { HistoryAnswer } from "../exposition/api_v1.ts";
import { Display } from "./display.ts";
import { JobControl } from "./job.ts";
import { Keyboard } from "./keyboard.ts";
import { rowsOf, screenOf } from "./screen.ts";
import type { FleetSource, Reading } from "./source.ts";
import { afterPress, firstView, type Key as ViewKey, type Press, type View } from "./view.ts";

/** Without a key the screen is made anew once a second at most, and so long after when there was nothing new to show. */
const FRAME_MS = 1_000;
const IDLE_MS = 1_200;
/** How often the last minutes are asked for: they come in steps of ten seconds. */
const PAST_MS = 10_000;

export interface TerminalOptions {
  readonly colors: boolean;
  /** Whether the terminal is written to in ASCII alone. */
  readonly isAscii: boolean;
  /** The id of the worker that is shown first, alone. */
  readonly worker: string | undefined;
  readonly signal: AbortSignal;
}

/** Shows a source on the whole screen until `q`, Ctrl-C or an abort; then the terminal is as it was. */
export async function showOnTerminal(
  source: FleetSource,
  { colors, isAscii, worker, signal }: TerminalOptions,
): Promise<void> {
  if (signal.aborted) return;
  const display = new Display({ colors, isAscii, write: writeToTerminal, nowMs: () => performance.now() });
  const keyboard = new Keyboard({
    [CTRL_L]: () => display.redraw(),
    [CTRL_Z]: () => job.stopAll(),
    [CTRL_BACKSLASH]: () => app.unmount(),
  });
  using job = new JobControl({
    onStop: async () => {
      keyboard.release();
      await display.close();
    },
    onContinue: () => {
      keyboard.renew();
      display.open();
    },
    signal,
  });
  display.open();
  const app = render(createElement(Top, { source, display, first: worker }), {
    stdin: keyboard as unknown as NodeJS.ReadStream,
    stdout: new Nowhere() as unknown as NodeJS.WriteStream,
    interactive: false,
    patchConsole: false,
  });
  using _abort = onAbort(signal, () => app.unmount());
  using _signals = hearSignals();
  try {
    await app.waitUntilExit();
  } finally {
    await display.close();
  }
}

const CTRL_L = "\x0c";
const CTRL_Z = "\x1a";
const CTRL_BACKSLASH = "\x1c";

/** Where Ink's own drawing goes: it trusts that the terminal shows what it wrote, and nobody else writes there. */
class Nowhere extends Writable {
  readonly columns = 80;
  readonly rows = 24;

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}

/** A terminal that takes nothing more is left alone when we end. */
async function writeToTerminal(text: string): Promise<void> {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
  } catch {
    // It is gone: a signal says so too.
  }
}

/** Ink ends the process by a signal that nobody else hears as Node tells it; it is `signal` that ends us. */
function hearSignals(): Disposable {
  const hear = () => {};
  for (const name of SIGNALS) process.on(name, hear);
  return {
    [Symbol.dispose]: () => {
      for (const name of SIGNALS) process.off(name, hear);
    },
  };
}

const SIGNALS = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"] as const;

function Top({ source, display, first }: {
  readonly source: FleetSource;
  readonly display: Display;
  /** The worker that is shown first, alone. */
  readonly first: string | undefined;
}) {
  const { exit } = useApp();
  const { columns, rows } = useTerminalSize();
  const [view, setView] = useState(() => firstView(first));
  const reading = useReading(source);
  const hasFleet = reading.fleet !== undefined;
  const past = usePast(source, { worker: undefined, isWanted: hasFleet });
  const worker = view.detail?.kind === "worker" ? view.detail.id : undefined;
  const workerPast = usePast(source, { worker, isWanted: worker !== undefined });

  const picture = { reading, url: source.url, view, past, workerPast, columns, rows };
  const { target, sort, isReversed, filter } = view;
  const workers = useMemo(() => rowsOf(picture), [reading.fleet, target, sort, isReversed, filter]);
  /** What a view that was not rendered yet would show. */
  const shownBy = (next: View) => {
    const isSame = next.target === target && next.sort === sort && next.isReversed === isReversed &&
      next.filter === filter;
    const other = { ...picture, view: next };
    return screenOf(other, isSame ? workers : rowsOf(other));
  };
  useInput((input, key) => {
    const presses = pressesOf(input, key);
    setView((view) => presses.reduce((view, press) => afterPress(view, press, shownBy(view)), view));
  });
  useEffect(() => {
    if (view.isOver) exit();
  }, [view.isOver]);
  useLayoutEffect(() => display.show(screenOf(picture, workers).lines, columns));
  return null;
}

function useTerminalSize(): { readonly columns: number; readonly rows: number } {
  const [size, setSize] = useState(terminalSize);
  useEffect(() => {
    const onResize = () => setSize(terminalSize());
    process.stdout.on("resize", onResize);
    onResize();
    return () => void process.stdout.off("resize", onResize);
  }, []);
  return size;
}

/** In cells; what most terminals begin with where it is not known. */
function terminalSize(): { readonly columns: number; readonly rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    if (columns > 0 && rows > 0) return { columns, rows };
  } catch {
    // The terminal is gone.
  }
  return { columns: 80, rows: 24 };
}

/** What the source has, read for each frame. */
function useReading(source: FleetSource): Reading {
  const [reading, setReading] = useState(() => source.read());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let shownMs = -Infinity;
    const showAfter = (ms: number) => {
      clearTimeout(timer);
      timer = setTimeout(show, ms);
    };
    const show = () => {
      const next = source.read();
      setReading(next);
      // Before there is a fleet its first sign is waited for.
      if (next.fleet) shownMs = performance.now();
      showAfter(IDLE_MS);
    };
    const subscription = source.subscribe(() =>
      showAfter(Math.max(0, shownMs + FRAME_MS - performance.now()))
    );
    show();
    return () => {
      clearTimeout(timer);
      subscription[Symbol.dispose]();
    };
  }, [source]);
  return reading;
}

/** The last minutes of the fleet or of a worker, asked for again and again while they are wanted. */
function usePast(
  source: FleetSource,
  { worker, isWanted }: { readonly worker: string | undefined; readonly isWanted: boolean },
): HistoryAnswer | undefined {
  const [past, setPast] = useState<HistoryAnswer>();
  const newest = useRef(0);
  useEffect(() => {
    const turn = ++newest.current;
    setPast(undefined);
    if (!isWanted) return;
    const ask = async () => {
      const past = await source.past(worker);
      if (turn === newest.current) setPast(past);
    };
    void ask();
    const timer = setInterval(ask, PAST_MS);
    return () => {
      newest.current++;
      clearInterval(timer);
    };
  }, [worker, isWanted]);
  return past;
}

/** Over a slow line several keys come at once, as text. */
function pressesOf(input: string, key: Key): readonly Press[] {
  const name = nameOf(key);
  if (name !== undefined) return [{ key: name }];
  if (key.ctrl || key.meta) return [];
  return [...input].map((char) => {
    const name = NAMES[char];
    return name === undefined ? { char } : { key: name };
  });
}

const NAMES: Readonly<Record<string, ViewKey>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\b": "backspace",
  "\x7f": "backspace",
  "\x1b": "escape",
};

function nameOf(key: Key): ViewKey | undefined {
  if (key.upArrow) return "up";
  if (key.downArrow) return "down";
  if (key.pageUp) return "page_up";
  if (key.pageDown) return "page_down";
  if (key.home) return "home";
  if (key.end) return "end";
  if (key.return) return "enter";
  if (key.escape) return "escape";
  if (key.backspace || key.delete) return "backspace";
  return key.tab ? "tab" : undefined;
}
