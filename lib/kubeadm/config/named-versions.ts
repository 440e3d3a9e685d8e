/**
 * Names of versions: what is neither complete nor nonsense, and stands for a release that is looked up. One reading for
 * every command. Source: kubeadm util/version.go (v1.36).
 */
import { DEFAULT_VERSION } from '../../base/defaults.ts'
import { NEWEST_MINOR, OLDEST_MINOR, parseVersion } from '../../base/version.ts'

/**
 * The newest known patch release of each minor, from the oldest.
 * Source: the CHANGELOG of each minor; 1.31 and later as in test/golden.
 */
export const NEWEST_PATCHES: readonly number[] = [
  20, 16, 15, 14, 17, 17, 17, 16, 15, 16, 15, 15, 14, 14, 13, 13, 9, 6, 2,
]

export type Bucket = 'release' | 'ci'

/** A name taken apart; `label` is the file that the answer stands in, e.g. `stable-1.36`. */
export interface VersionName {
  readonly bucket: Bucket
  readonly label: string
}

/** The newest known patch release of `1.35`; undefined for a minor that is not known. */
export function newestPatch(major: number, minor: number): string | undefined {
  const patch = major === 1 ? NEWEST_PATCHES[minor - OLDEST_MINOR] : undefined
  return patch === undefined ? undefined : `v${major}.${minor}.${patch}`
}

/**
 * What a name is looked up as: `1.36` is `stable-1.36`, `ci/1.37` is `latest-1.37`; CI has labels of its own, e.g.
 * `k8s-master`. Undefined for a complete version, for nonsense, and for releases before the oldest that is supported.
 */
export function readVersionName(text: string): VersionName | undefined {
  const [, prefix, rest = ''] = /^(?:(release|ci)\/)?(.*)$/s.exec(text) ?? []
  const bucket: Bucket = prefix === 'ci' ? 'ci' : 'release'
  const [, word, major, minor] = /^(?:(stable|latest)-|v)?(\d+)\.(\d+)$/.exec(rest) ?? []
  if (parseVersion(rest) !== undefined || (major === '1' && Number(minor) < OLDEST_MINOR)) return undefined
  if (minor !== undefined)
    return { bucket, label: `${word ?? (bucket === 'ci' ? 'latest' : 'stable')}-${major}.${minor}` }
  if (/^(?:stable|latest)(?:-\d+)?$/.test(rest)) return { bucket, label: rest }
  return bucket === 'ci' && /^[a-z][-a-z0-9.]*$/.test(rest) ? { bucket, label: rest } : undefined
}

/** Whether a version has to be looked up. */
export function isVersionName(text: string): boolean {
  return readVersionName(text) !== undefined
}

/** What a name stands for where nothing can be looked up: the newest release known here, of that minor. */
export function newestKnown({ label }: VersionName): string {
  const [, major, minor] = /-(\d+)\.(\d+)$/.exec(label) ?? []
  if (minor === undefined) return DEFAULT_VERSION
  return newestPatch(Number(major), Number(minor)) ?? `v${major}.${minor}.0`
}

/** Whether that is known, and not just the first release of a minor that nobody here has heard of. */
export function isKnownName({ bucket, label }: VersionName): boolean {
  const [, major, minor] = /-(\d+)(?:\.(\d+))?$/.exec(label) ?? []
  if (bucket === 'ci' || !/^(?:stable|latest)/.test(label)) return false
  return minor === undefined
    ? major === undefined || major === '1'
    : newestPatch(Number(major), Number(minor)) !== undefined
}

/** What to say of `1.3`, which is what YAML makes of an unquoted 1.30; undefined for all else. */
export function lostZero(text: string): string | undefined {
  const [, digit = ''] = /^v?1\.([1-9])$/.exec(text) ?? []
  const minor = Number(`${digit}0`)
  // A few minors are left for the years to come.
  if (digit === '' || minor < OLDEST_MINOR || minor > NEWEST_MINOR + 10) return undefined
  const whole = text.replace(/\d$/, `${minor}`)
  return `${text} is not a release; if ${whole} is meant, put it in quotes: '${whole}'`
}
