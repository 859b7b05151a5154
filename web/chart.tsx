import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot, { type AlignedData, type Axis, type Options } from "uplot";
import { type Series, WINDOW_SECONDS } from "./series.ts";
import { markText, timeText } from "./text.ts";

export interface Line {
  /** The name of the series. */
  readonly name: string;
  readonly label: string;
}

export interface ChartProps {
  readonly title: string;
  readonly series: Series;
  /** The first is solid, the others are dashed. */
  readonly lines: readonly Line[];
  /** The series that says how far values lie from those of the first line. */
  readonly deviation?: string | undefined;
  /** How values are written. */
  readonly text: (value: number | undefined) => string;
  /** The upper end of the scale at least. */
  readonly atLeast: number;
  /** The right end of the time axis, in seconds. */
  readonly now: number;
  /** The only line has its name beside, too: it is not of what the figure is. */
  readonly isKeyed?: true;
}

const HEIGHT = 84;
/** The shortest time that is shown, in seconds: that of a server which just began. */
const SHORTEST_SPAN = 10;
const FONT = "10.5px system-ui, sans-serif";

/** Lines over the last 15 minutes. Where the pointer is the values of that moment are written. */
export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const [pointed, setPointed] = useState<number>();
  const scheme = useScheme();
  const { series, lines, now, atLeast, text, deviation } = props;

  useLayoutEffect(() => {
    const element = box.current!;
    const made = plot.current = new uPlot(
      options({ lines, deviation, text, atLeast, element, onPoint: setPointed }),
      columns({ series, lines, deviation }),
      element,
    );
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [scheme, series]);

  useEffect(() => {
    plot.current!.batch(() => {
      plot.current!.setData(columns({ series, lines, deviation }), false);
      plot.current!.setScale("x", { min: now - spanOf(series, now), max: now });
    });
  });

  const at = pointed === undefined ? undefined : series.times[pointed];
  return (
    <div class="chart">
      <div ref={box} role="img" aria-label={`${props.title}, the last 15 minutes`} />
      <p class={at === undefined ? "legend" : "legend pointed"} aria-hidden={at !== undefined}>
        {(lines.length > 1 || props.isKeyed || at !== undefined) &&
          lines.map(({ name, label }, n) => (
            <span key={name} class={`key key-${n}`}>
              {label}
              {at !== undefined && <b>{text(series.values(name)[pointed!] ?? undefined)}</b>}
            </span>
          ))}
        {at !== undefined && <span class="moment">{timeText(at * 1_000)}</span>}
      </p>
    </div>
  );
}

/** Solid, dashed, dotted. */
const DASHES: readonly number[][] = [[], [6, 3], [2, 3]];

function options(
  { lines, deviation, text, atLeast, element, onPoint }:
    & Pick<ChartProps, "lines" | "deviation" | "text" | "atLeast">
    & { element: HTMLElement; onPoint: (index: number | undefined) => void },
): Options {
  const color = (name: string) => colorOf(element, name);
  const axis: Axis = {
    stroke: color("muted"),
    font: FONT,
    grid: { stroke: color("grid"), width: 1 },
    ticks: { show: false },
  };
  const bound = { stroke: "transparent", points: { show: false } };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [6, 20, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: "time" },
      drag: { setScale: false, x: false, y: false },
      points: { size: 5 },
      y: false,
    },
    scales: {
      x: { time: true, auto: false },
      y: { range: (_, __, max) => [0, Math.max(atLeast, max ?? 0) * 1.05] },
    },
    axes: [
      { ...axis, size: 18, gap: 2, space: 72, values: momentTexts },
      {
        ...axis,
        size: 44,
        gap: 4,
        space: 26,
        values: (_, values) => values.map((value) => markText(value) ?? text(value)),
      },
    ],
    series: [
      {},
      ...lines.map((_, n) => ({
        stroke: color(n === 0 ? "accent" : "line-2"),
        width: 1.5,
        dash: DASHES[n] ?? [],
        points: { show: false },
        ...(n === 0 && deviation === undefined ? { fill: color("accent-soft") } : {}),
      })),
      ...(deviation === undefined ? [] : [bound, bound]),
    ],
    ...(deviation === undefined ? {} : {
      bands: [{
        series: [lines.length + 1, lines.length + 2] as [number, number],
        fill: color("accent-soft"),
      }],
    }),
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? undefined)] },
  };
}

/** A colour of the style sheet as a canvas understands it: a system's colour has its name there. */
function colorOf(element: HTMLElement, name: string): string {
  element.style.setProperty("forced-color-adjust", "none");
  element.style.color = `var(--${name})`;
  const { color } = getComputedStyle(element);
  element.removeAttribute("style");
  return color;
}

/** The times, the lines, and the upper and lower end of the deviation. */
function columns(
  { series, lines, deviation }: Pick<ChartProps, "series" | "lines" | "deviation">,
): AlignedData {
  const values = lines.map(({ name }) => series.values(name));
  if (deviation === undefined) return [series.times, ...values];
  const far = series.values(deviation);
  const bound = (sign: number) =>
    values[0]!.map((value, n) => value === null ? null : value + sign * (far[n] ?? 0));
  return [series.times, ...values, bound(1), bound(-1)];
}

/** What is known of the last 15 minutes. */
function spanOf({ times }: Series, now: number): number {
  return Math.min(WINDOW_SECONDS, Math.max(SHORTEST_SPAN, now - (times[0] ?? now)));
}

/** Below the axis, but where the lowest value stands beside it. */
function momentTexts(plot: uPlot, moments: number[]): string[] {
  const isFine = moments.some((moment) => moment % 60 !== 0);
  return moments.map((moment) =>
    plot.valToPos(moment, "x") < 30 ? "" : timeText(moment * 1_000).slice(0, isFine ? 8 : 5)
  );
}

/** What changes the colours: the canvas is then drawn anew. */
const SCHEMES = ["(prefers-color-scheme: dark)", "(forced-colors: active)", "print"];

/** Changes with each of them. */
function useScheme(): string {
  const queries = useMemo(() => SCHEMES.map((scheme) => matchMedia(scheme)), []);
  const now = () => queries.map(({ matches }) => matches).join();
  const [scheme, setScheme] = useState(now);
  useEffect(() => {
    const changed = () => setScheme(now());
    for (const query of queries) query.addEventListener("change", changed);
    return () => {
      for (const query of queries) query.removeEventListener("change", changed);
    };
  }, []);
  return scheme;
}
