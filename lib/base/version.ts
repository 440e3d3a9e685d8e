/** Kubernetes versions: parse, compare, print. A version is `v1.36.2`, `1.36.2-rc.1+build`. */

export interface Version {
  readonly major: number
  readonly minor: number
  readonly patch: number
  /** After `-`, e.g. `rc.1`; empty for a release. */
  readonly pre: string
  /** After `+`; empty mostly. */
  readonly build: string
}

const SEMVER = /^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$/

/** Oldest and newest minor that the tables of this project know. */
export const OLDEST_MINOR = 18
export const NEWEST_MINOR = 36

/** Reads `v1.36.2`, with or without `v`; undefined when the text is no complete version. */
export function parseVersion(text: string): Version | undefined {
  const match = SEMVER.exec(text)
  if (match === null) return undefined
  const [, major, minor, patch, pre = '', build = ''] = match
  return { major: Number(major), minor: Number(minor), patch: Number(patch), pre, build }
}

/** Whether a version is of a release that the tables of this project do not know yet. */
export function isNewerThanKnown({ major, minor }: Version): boolean {
  return major > 1 || (major === 1 && minor > NEWEST_MINOR)
}

/** `v1.36.2-rc.1+build`. */
export function formatVersion(version: Version): string {
  const { major, minor, patch, pre, build } = version
  return `v${major}.${minor}.${patch}${pre && `-${pre}`}${build && `+${build}`}`
}

/**
 * Whether `version` is of the release `since` (`1.22`, or `1.36.1` where a patch release changed it) or later.
 * Pre-releases count as their release: v1.22.0-rc.1 is since 1.22.
 */
export function isSince(version: Version, since: string): boolean {
  const [major = 0, minor = 0, patch = 0] = since.split('.').map(Number)
  if (version.major !== major) return version.major > major
  if (version.minor !== minor) return version.minor > minor
  return version.patch >= patch
}

/** Values by the release that brought them, oldest first. */
export type Since<T> = Readonly<Record<string, T>>

/** The value of the newest row that `version` has reached; undefined when it is older than all. */
export function valueSince<T>(table: Since<T>, version: Version): T | undefined {
  return Object.entries(table).findLast(([since]) => isSince(version, since))?.[1]
}

/** Negative when `a` is older than `b`, zero when they are the same release; pre-releases come before it, in semver's order. */
export function compareVersions(a: Version, b: Version): number {
  const numbers = a.major - b.major || a.minor - b.minor || a.patch - b.patch
  if (numbers !== 0 || a.pre === b.pre) return numbers
  if (a.pre === '' || b.pre === '') return a.pre === '' ? 1 : -1
  return comparePre(a.pre.split('.'), b.pre.split('.'))
}

export function isOlder(a: Version, b: Version): boolean {
  return compareVersions(a, b) < 0
}

function comparePre([a, ...restA]: readonly string[], [b, ...restB]: readonly string[]): number {
  if (a === undefined || b === undefined) return (a === undefined ? 0 : 1) - (b === undefined ? 0 : 1)
  if (a === b) return comparePre(restA, restB)
  const isNumber = (text: string): boolean => /^\d+$/.test(text)
  if (isNumber(a) && isNumber(b)) return Number(a) - Number(b)
  if (isNumber(a) !== isNumber(b)) return isNumber(a) ? -1 : 1
  return a < b ? -1 : 1
}
