import { configureSync, getLogger, type Logger, type LogLevel, type LogRecord } from "@logtape/logtape";

/** Levels from the least to the most talkative, as `DYN_LOG` spells them. */
const LEVELS = ["off", "error", "warn", "info", "debug", "trace"] as const;
export type Level = typeof LEVELS[number];

/** How much each target may say: the entry with the longest matching target wins, `fallback` where none matches. */
export interface LogFilter {
  readonly fallback: Level;
  readonly targets: readonly { readonly target: string; readonly level: Level }[];
}

export interface LogOptions {
  /** The program's name: the first part of every target (`metrics`, `metrics::scrape`). */
  readonly program: string;
  readonly filter: LogFilter;
  readonly format: "text" | "jsonl";
  /** Local time with its offset instead of UTC. */
  readonly localTime: boolean;
  readonly colors: boolean;
}

/** The logger of a room, or with no room the program's own. Fields follow the message as `key=value`. */
export function logger(room?: string): Logger {
  return getLogger(room === undefined ? [] : [room]);
}

/** What the log says once each, of at most so many different things: who repeats itself, or varies it, cannot fill the log. */
export class SaidOnce {
  readonly #max: number;
  readonly #said = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  /** True the first time, and never once there are too many. From then on it counts as said. */
  isFirst(what: string): boolean {
    if (this.#said.has(what) || this.#said.size >= this.#max) return false;
    this.#said.add(what);
    return true;
  }

  /** All may be said again. */
  clear(): void {
    this.#said.clear();
  }
}

/**
 * Reads `DYN_LOG`: a level, `target=level`, or a target alone (everything it says), separated by commas. Parts that make
 * no sense are ignored, as Dynamo's programs do.
 */
export function parseLogFilter(text: string): LogFilter {
  let fallback: Level = "info";
  const targets: { target: string; level: Level }[] = [];
  for (const part of text.split(",").map((part) => part.trim())) {
    const [name = "", levelName] = part.split("=", 2).map((side) => side.trim());
    const level = asLevel(levelName ?? name);
    if (levelName === undefined && level !== undefined) fallback = level;
    else if (/^[\w:]+$/.test(name) && (level !== undefined || levelName === undefined)) {
      targets.push({ target: name, level: level ?? "trace" });
    }
  }
  targets.sort((a, b) => b.target.length - a.target.length);
  return { fallback, targets };
}

/** Sends every record that passes the filter to `write`, one line each, with its newline. */
export function configureLogging(options: LogOptions, write: (line: string) => void = writeToStderr): void {
  const encode = options.format === "jsonl" ? jsonLine : textLine;
  configureSync({
    reset: true,
    sinks: {
      lines: (record) => {
        const entry = toEntry(record, options);
        if (LEVELS.indexOf(entry.level) <= LEVELS.indexOf(levelOf(options.filter, entry.target))) {
          write(encode(entry, options));
        }
      },
    },
    loggers: [
      { category: [], sinks: ["lines"], lowestLevel: lowestLevel(options.filter) },
      { category: ["logtape", "meta"], lowestLevel: null },
    ],
  });
}

interface Entry {
  readonly time: string;
  readonly level: Level;
  readonly target: string;
  readonly message: string;
  readonly fields: readonly (readonly [name: string, value: unknown])[];
}

function toEntry(record: LogRecord, options: LogOptions): Entry {
  return {
    time: timeText(options.localTime),
    level: record.level === "warning" ? "warn" : record.level === "fatal" ? "error" : record.level,
    target: [options.program, ...record.category].join("::"),
    message: typeof record.rawMessage === "string" ? record.rawMessage : record.message.join(""),
    fields: Object.entries(record.properties).filter(([, value]) => value !== undefined),
  };
}

function textLine(entry: Entry, options: LogOptions): string {
  const level = entry.level.toUpperCase().padStart(5);
  const fields = entry.fields.map(([name, value]) => ` ${name}=${fieldText(value)}`).join("");
  const message = printable(entry.message) + fields;
  if (!options.colors) return `${entry.time} ${level} ${entry.target}: ${message}\n`;
  const dim = (text: string) => `\x1b[2m${text}\x1b[0m`;
  return `${dim(entry.time)} \x1b[${COLORS[entry.level]}m${level}\x1b[0m ${dim(entry.target)}${
    dim(":")
  } ${message}\n`;
}

/** The colours of Dynamo's own lines. */
const COLORS: Readonly<Record<Level, number>> = {
  off: 0,
  error: 31,
  warn: 33,
  info: 32,
  debug: 34,
  trace: 35,
};

function jsonLine(entry: Entry): string {
  const { time, level, target, message, fields } = entry;
  const line: Record<string, unknown> = { time, level: level.toUpperCase(), target, message };
  for (const [name, value] of fields) line[name] = typeof value === "number" ? value : cut(String(value));
  return JSON.stringify(line) + "\n";
}

/** `2025-03-17T00:07:05.202558Z`, or with the local offset `…+05:30`. */
function timeText(local: boolean): string {
  const now = Temporal.Now.instant();
  const options = { smallestUnit: "microsecond" } as const;
  return local ? now.toString({ ...options, timeZone: Temporal.Now.timeZoneId() }) : now.toString(options);
}

const MAX_TEXT = 500;

function fieldText(value: unknown): string {
  const text = printable(String(value));
  return /^[^\s"=]+$/.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`;
}

/** Text from outside may hold anything: one line, no control characters, no endless length. */
function printable(text: string): string {
  return cut(text).replace(
    CONTROLS,
    (char) => char === "\n" ? "\\n" : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

// deno-lint-ignore no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`;
}

function asLevel(text: string): Level | undefined {
  return LEVELS.find((level) => level === text.toLowerCase());
}

function levelOf(filter: LogFilter, target: string): Level {
  const match = filter.targets.find((entry) =>
    target === entry.target || target.startsWith(`${entry.target}::`)
  );
  return match?.level ?? filter.fallback;
}

function lowestLevel(filter: LogFilter): LogLevel | null {
  const levels = [filter.fallback, ...filter.targets.map(({ level }) => level)];
  const most = LEVELS[Math.max(...levels.map((level) => LEVELS.indexOf(level)))]!;
  return most === "off" ? null : most === "warn" ? "warning" : most;
}

const encoder = new TextEncoder();

/** Throws when the log cannot be written (full device, closed pipe), which LogTape lets go of: no reason to end. */
function writeToStderr(line: string): void {
  let bytes = encoder.encode(line);
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
}
