/**
 * Dynamo's releases whose workers were looked at, oldest first. What such a worker does not tell apart from its
 * neighbours, nor do those between.
 */
const RELEASES = [
  "0.1.0",
  "0.1.1",
  "0.2.0",
  "0.2.1",
  "0.3.0",
  "0.3.1",
  "0.3.2",
  "0.4.0",
  "0.4.1",
  "0.5.0",
  "0.5.1",
  "0.6.0",
  "0.6.1",
  "0.7.0",
  "0.7.1",
  "0.8.1",
  "0.9.1",
  "1.0.2",
  "1.1.1",
  "1.2.1",
  "1.3.1",
  "1.4.2",
  "1.5.1",
  "1.6.1",
] as const;

type Release = typeof RELEASES[number];

/** Those that one thing a worker shows leaves possible, one bit each; what two things leave is `a & b`. */
export type Releases = number;

export const ANY_RELEASE: Releases = 2 ** RELEASES.length - 1;

export const NEWEST_RELEASE = "1.6.1" satisfies Release;

/** From `first` to `last`, both included; without an end all that come after. */
export function releases(first: Release, last: Release = NEWEST_RELEASE): Releases {
  return 2 ** (RELEASES.indexOf(last) + 1) - 2 ** RELEASES.indexOf(first);
}

/** Whether some release is in both. */
export function overlaps(one: Releases, other: Releases): boolean {
  return (one & other) !== 0;
}

/** Whether all releases of the first are in the second. */
export function isWithin(possible: Releases, whole: Releases): boolean {
  return (possible & ~whole) === 0;
}

const texts = new Map<Releases, string>();

/**
 * For people: `0.3.2`, `0.1.1-0.2.0`, `1.4.2+` for this and all after; undefined where all are possible, or none (what
 * the worker shows contradicts itself).
 */
export function releasesText(possible: Releases): string | undefined {
  if (possible === ANY_RELEASE || possible === 0) return undefined;
  return texts.getOrInsertComputed(possible, writeReleases); // There are few, asked for again and again.
}

function writeReleases(possible: Releases): string {
  const first = RELEASES.find((_, bit) => possible & 1 << bit)!;
  const last = RELEASES.findLast((_, bit) => possible & 1 << bit)!;
  if (last === RELEASES.at(-1)) return `${first}+`;
  return first === last ? first : `${first}-${last}`;
}

/**
 * The version that a worker's NATS service names: 0.0.1 in all releases to 0.6.0, since then the release itself, which
 * comes as text.
 */
export function releasesOfVersion(version: string): Releases | string {
  if (version === "0.0.1") return releases("0.1.0", "0.6.0");
  return /^\d+\.\d+\.\d+/.test(version) ? version.slice(0, MAX_VERSION) : ANY_RELEASE;
}

/** Text from outside that becomes a label is cut. */
const MAX_VERSION = 64;
