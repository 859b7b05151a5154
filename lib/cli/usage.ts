import { Command, CommanderError, type Help, Option } from "commander";
import config from "../../deno.json" with { type: "json" };
import { quoted } from "./quoted.ts";

/** A command line or an environment that makes no sense. The message is one line and says what is allowed. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A flag of a program. Without `value` it is a switch. */
export interface Flag {
  readonly name: `--${string}`;
  /** Stands for the value in the help. */
  readonly value?: string;
  /** What the value must be, to follow "must be". */
  readonly rule?: string;
  readonly help: string;
  readonly defaultText?: string;
  /** A value to show to those who leave out a flag that is needed. */
  readonly example?: string;
  /** The variable that counts where the flag is not given; an empty one does not. */
  readonly env?: string;
  /** It may be given several times. */
  readonly repeatable?: true;
  /** Where a user and a password go that somebody puts into the value, which is an address. */
  readonly login?: string;
  /** The value is not to be shown: it is easily taken for the place of a secret. */
  readonly isHidden?: true;
}

export interface Usage {
  readonly program: string;
  readonly about: string;
  readonly examples: readonly string[];
  readonly flags: readonly Flag[];
  /** What may stand in place of flags, for others to read. */
  readonly commands?: readonly string[];
  /** Lines after the flags. */
  readonly notes?: string;
}

/** What a program is started with. */
export interface Invocation {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Text that was asked for instead of a run: help or version. */
export interface Shown {
  readonly shown: string;
}

/** Reads a value's text; undefined for one that the flag's rule does not allow. */
export type ReadValue<T> = (text: string) => T | undefined;

/** The flags of one invocation, completed by the environment. */
export class GivenFlags {
  readonly #values: ReadonlyMap<string, string | true | readonly string[]>;
  readonly #env: Invocation["env"];

  constructor(values: ReadonlyMap<string, string | true | readonly string[]>, env: Invocation["env"]) {
    this.#values = values;
    this.#env = env;
  }

  /** Whether the flag itself is given, whatever its variable says. */
  has(flag: Flag): boolean {
    return this.#values.has(flag.name);
  }

  /** The flag's value, else its variable's; undefined without either. @throws {UsageError} */
  value<T>(flag: Flag, read: ReadValue<T>): T | undefined {
    const flagText = this.#values.get(flag.name);
    const text = typeof flagText === "string" ? flagText : flag.env === undefined ? "" : this.#env[flag.env];
    const source = typeof flagText === "string" ? flag.name : flag.env;
    if (text === undefined || (text === "" && source !== flag.name)) return undefined;
    const value = read(text);
    if (value === undefined) throw new UsageError(wrongText(flag, { source: source!, text }));
    return value;
  }

  /** The values of a flag that may be given several times. @throws {UsageError} */
  values<T>(flag: Flag, read: ReadValue<T>): readonly T[] {
    const texts = this.#values.get(flag.name);
    return (isTexts(texts) ? texts : []).map((text) => {
      const value = read(text);
      if (value === undefined) throw new UsageError(wrongText(flag, { source: flag.name, text }));
      return value;
    });
  }

  /** @throws {UsageError} also when neither flag nor variable is there */
  required<T>(flag: Flag, read: ReadValue<T>): T {
    const value = this.value(flag, read);
    if (value === undefined) throw new UsageError(missingText(flag));
    return value;
  }
}

function wrongText(
  { rule, login, isHidden }: Flag,
  { source, text }: { readonly source: string; readonly text: string },
): string {
  const shown = isHidden ? source : `${source} ${quoted(text, { isAddress: login !== undefined })}`;
  const hint = login !== undefined && text.includes("@") ? `; a user and a password go into ${login}` : "";
  return `${shown}: must be ${rule}${hint}`;
}

/** What to say where a flag is left out that is needed. */
export function missingText({ name, rule, example }: Flag): string {
  return `${name} is missing: ${
    example === undefined ? `must be ${rule}` : `say it as in ${name} ${example}`
  }`;
}

/**
 * Reads the command line; `help` as its first word is `--help`.
 *
 * @throws {UsageError} for what the flags do not allow, whatever their values
 */
export function readFlags(usage: Usage, { argv: given, env }: Invocation): GivenFlags | Shown {
  const argv = given[0] === "help" ? ["--help"] : given;
  refuseSwallowedFlags(usage, argv);
  let shown = "";
  const command = new Command(usage.program)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void (shown += text),
      writeErr: () => {},
      getOutHelpWidth: () => 80,
    })
    .configureHelp({ formatHelp: (_, help) => helpText(usage, help) })
    .helpOption("-h, --help", "Say this")
    .version(`${usage.program} ${config.version}`, "-V, --version", "Say the version")
    .allowExcessArguments();
  const options = usage.flags.map((flag) => {
    const option = new Option(flag.value === undefined ? flag.name : `${flag.name} <value>`);
    if (flag.value !== undefined) option.argParser(flag.repeatable ? collected : onlyOnce(flag));
    command.addOption(option);
    return { flag, attribute: option.attributeName() };
  });
  try {
    command.parse(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { shown };
    throw new UsageError(problemText(error, usage));
  }
  const [extra] = command.args;
  if (extra !== undefined) throw new UsageError(`${quoted(extra)}: ${extraHint(extra, usage)}`);
  const read = options.filter(({ attribute }) => command.getOptionValueSource(attribute) === "cli");
  const values = read.map(({ flag, attribute }) => {
    const value = command.getOptionValue(attribute) as unknown;
    return [flag.name, typeof value === "string" || isTexts(value) ? value : true] as const;
  });
  return new GivenFlags(new Map(values), env);
}

/**
 * The settings that `parse` makes of the command line. Ends the process for help and version (on stdout, 0) and for a
 * usage error (one line on stderr, 2).
 */
export function settingsOrExit<T extends object>(parse: () => T | Shown): T {
  try {
    const settings = parse();
    if (!("shown" in settings)) return settings;
    writeAll(Deno.stdout, settings.shown);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    writeAll(Deno.stderr, `error: ${error.message}\n`);
    Deno.exit(2);
  }
  Deno.exit(0);
}

/** Reads decimal whole numbers of a range. */
export function wholeNumber(range: { readonly min: number; readonly max: number }): ReadValue<number> {
  return (text) => {
    const number = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    return number >= range.min && number <= range.max ? number : undefined;
  };
}

/** Writes what can be written: nobody hears of a full device or a closed pipe. */
function writeAll(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(to.writeSync(bytes));
  } catch {
    // The exit code tells all the same.
  }
}

/**
 * Commander takes whatever follows a flag for its value, also the next flag, as where a script's variable is empty. A value
 * that begins with `--` has to stand after `=`.
 */
function refuseSwallowedFlags({ flags }: Usage, argv: readonly string[]): void {
  for (let n = 0; n < argv.length && argv[n] !== "--"; n++) {
    const flag = flags.find(({ name, value }) => name === argv[n] && value !== undefined);
    if (flag === undefined) continue;
    n++;
    if (argv[n]?.startsWith("--")) throw new UsageError(noValueText(flag));
  }
}

function noValueText({ name, rule }: Flag): string {
  return `${name} has no value: must be ${rule}`;
}

/** Of two values of one flag commander would silently take the last. */
function onlyOnce(flag: Flag): (text: string, earlier: unknown) => string {
  return (text, earlier) => {
    if (earlier !== undefined) {
      throw new UsageError(`${flag.name}${flag.isHidden ? "" : ` ${quoted(text)}`}: is given twice`);
    }
    return text;
  };
}

function collected(text: string, earlier: unknown): readonly string[] {
  return isTexts(earlier) ? [...earlier, text] : [text];
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value);
}

/** What to say of a word that is no flag. */
function extraHint(word: string, { commands = [] }: Usage): string {
  if (word === "help" || commands.includes(word)) return "must come first";
  // Its own `help` would write to stdout.
  const known = new Command().helpCommand(false).exitOverride().configureOutput({ writeErr: () => {} });
  for (const name of commands) known.command(name);
  try {
    if (commands.length > 0) known.parse([word], { from: "user" });
  } catch (error) {
    const meant = /Did you mean (.*)\?/.exec((error as Error).message)?.[1];
    if (meant !== undefined) return `did you mean ${meant}?`;
  }
  return "must be a flag, as in --help";
}

/** What commander found, in our words: it knows neither the rules nor how to keep to one line. */
function problemText(error: CommanderError, { flags }: Usage): string {
  const name = /option '(--[^\s='<]+)/.exec(error.message)?.[1];
  const flag = flags.find((flag) => flag.name === name);
  if (error.code === "commander.optionMissingArgument" && flag !== undefined) {
    return noValueText(flag);
  }
  if (error.code !== "commander.unknownOption") return error.message.split("\n")[0]!.replace(/^error: /, "");
  if (flag !== undefined) return `${flag.name}: takes no value`;
  const unknown = /unknown option '(.*)'/s.exec(error.message)?.[1] ?? "";
  const suggested = [...error.message.matchAll(/--[\w-]+(?=[?,])/g)].map(([match]) => match);
  const hint = suggested.length > 0 ? `did you mean ${suggested.join(" or ")}?` : "see --help";
  const shown = unknown.replace(/=.*/s, "").replace(/^(-[^-]).+/s, "$1…"); // What follows may be a password.
  return `unknown flag ${/^-[\w.…-]+$/.test(shown) ? shown : quoted(shown)}: ${hint}`;
}

function helpText({ about, program, examples, flags, notes }: Usage, help: Help): string {
  const entries = [
    ...flags.map((flag) => [[flag.name, flag.value].filter(Boolean).join(" "), flagHelp(flag)] as const),
    ["--help", "Say this"] as const,
    ["--version", "Say the version"] as const,
  ];
  const width = Math.max(...entries.map(([term]) => term.length));
  return [
    help.boxWrap(`${program}: ${about}`, help.helpWidth ?? 80),
    "",
    "Examples:",
    ...examples.map((example) => `  ${example}`),
    "",
    "Flags:",
    ...entries.map(([term, text]) => help.formatItem(term, width, text, help)),
    "",
    ...(notes === undefined ? [] : [help.boxWrap(notes, help.helpWidth ?? 80), ""]),
  ].join("\n");
}

function flagHelp({ help, defaultText, env }: Flag): string {
  const facts = [defaultText && `default ${defaultText}`, env && `environment ${env}`].filter(Boolean);
  return facts.length === 0 ? help : `${help} (${facts.join("; ")})`;
}
