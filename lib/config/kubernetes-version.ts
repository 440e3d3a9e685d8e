/** Which Kubernetes to deploy, and which kubeadm release to write as. Nothing is looked up on the network. */
import { formatVersion, isNewerThanKnown, NEWEST_MINOR, OLDEST_MINOR, parseVersion, type Version } from '../version.ts'

/** The newest release known; what a configuration without a version gets. */
export const DEFAULT_VERSION = 'v1.36.2'

/**
 * The newest known patch release of each minor, from the oldest.
 * Source: the CHANGELOG of each minor; 1.31 and later as in test/golden.
 */
export const NEWEST_PATCHES: readonly number[] = [
  20, 16, 15, 14, 17, 17, 17, 16, 15, 16, 15, 15, 14, 14, 13, 13, 9, 6, 2,
]

export interface VersionChoice {
  /** With `v`; `ci/v...` for a build of Kubernetes' own CI. */
  readonly kubernetesVersion: string
  readonly version: Version
  readonly kubeadm: Version
  readonly notices: readonly string[]
}

export interface VersionFault {
  readonly reason: string
  /** The kubeadm version is at fault, not that of Kubernetes. */
  readonly ofKubeadm?: true
}

export interface VersionOptions {
  /** The kubeadm release to write as; without it that of the version itself, the newest known for newer ones. */
  readonly kubeadm?: string
  /** Whether `1.35` will do, for its newest known patch release; kubeadm refuses it in files. */
  readonly minors?: boolean
}

const LABEL = /^(?:latest|stable)(?:-([1-9])(?:\.([1-9]\d?))?)?$/
const NUMERIC_WITH_ZERO = /^0\d+$/

/** The newest known patch release of `1.35`; undefined for a minor that is not known. */
export function newestPatch(major: number, minor: number): string | undefined {
  const patch = major === 1 ? NEWEST_PATCHES[minor - OLDEST_MINOR] : undefined
  return patch === undefined ? undefined : `v${major}.${minor}.${patch}`
}

/**
 * What a `kubernetesVersion` stands for: `v1.36.2`, `1.36.2`, `release/...`, `ci/...`, or a label: `stable`, `latest-1.35`.
 * A label is the newest release known here, as it is for a kubeadm without a network.
 * Without a text it is the version of the kubeadm that is asked for, else the newest release.
 * Source: kubeadm util/version.go (v1.36) without its look-ups.
 */
export function chooseVersion(text: string, options: VersionOptions = {}): VersionChoice | VersionFault {
  const wanted = text === '' ? defaultVersion(options) : text
  const [, prefix = '', label = ''] = /^(?:(release|ci)\/)?(.*)$/s.exec(wanted) ?? []
  const labelled = prefix === 'ci' ? undefined : labelledVersion(label, options)
  const exact = labelled ?? label
  const version = semanticVersion(exact)
  if (version === undefined) return { reason: versionReason(label, prefix) }
  if (version.major < 1 || (version.major === 1 && version.minor < OLDEST_MINOR)) {
    return { reason: `releases before v1.${OLDEST_MINOR} are not supported; choose a newer one` }
  }
  const kubeadm = chooseKubeadm(version, options.kubeadm)
  if ('reason' in kubeadm) return kubeadm
  const assumed =
    labelled === undefined || text === '' || text === 'stable-1'
      ? []
      : [`config: kubernetesVersion "${text}" is taken as ${labelled}, the newest known here; nothing is looked up`]
  return {
    kubernetesVersion: `${prefix === 'ci' ? 'ci/' : ''}${exact.startsWith('v') ? exact : `v${exact}`}`,
    version,
    kubeadm: kubeadm.version,
    notices: [...assumed, ...kubeadm.notices],
  }
}

function defaultVersion({ kubeadm }: VersionOptions): string {
  return kubeadm === undefined || semanticVersion(kubeadm) === undefined ? DEFAULT_VERSION : kubeadm
}

function labelledVersion(label: string, { minors }: VersionOptions): string | undefined {
  const match = LABEL.exec(minors && /^v?1\.\d+$/.test(label) ? `stable-${label.replace('v', '')}` : label)
  if (match === null) return undefined
  const [, major = '1', minor] = match
  if (minor !== undefined) return newestPatch(Number(major), Number(minor))
  return major === '1' ? DEFAULT_VERSION : undefined
}

// Go's semantic versions know neither empty parts nor numbers with leading zeros after the dash.
function semanticVersion(text: string): Version | undefined {
  const version = parseVersion(text)
  if (version === undefined || /[-+.](?:[.+]|$)/.test(text)) return undefined
  return version.pre.split('.').some(part => NUMERIC_WITH_ZERO.test(part)) ? undefined : version
}

function versionReason(label: string, prefix: string): string {
  const [, major, minor] = /^v?(\d+)\.(\d+)$/.exec(label) ?? []
  const newest = minor === undefined ? undefined : newestPatch(Number(major), Number(minor))
  if (newest !== undefined) return `it is no complete version; write ${newest}, the newest of that minor known here`
  if (LABEL.test(label) || prefix === 'ci') {
    return `the label would have to be looked up on the network; write an exact version like ${DEFAULT_VERSION}`
  }
  return `it is no version; write it as in ${DEFAULT_VERSION}`
}

interface KubeadmChoice {
  readonly version: Version
  readonly notices: readonly string[]
}

function chooseKubeadm(version: Version, text: string | undefined): KubeadmChoice | VersionFault {
  if (text === undefined) return ownKubeadm(version)
  const kubeadm = semanticVersion(text)
  if (kubeadm === undefined || kubeadm.major !== 1 || kubeadm.minor < OLDEST_MINOR || kubeadm.minor > NEWEST_MINOR) {
    const reason = `it is not known; choose a kubeadm release from v1.${OLDEST_MINOR}.0 to ${DEFAULT_VERSION}`
    return { reason, ofKubeadm: true }
  }
  const distance = (version.major - kubeadm.major) * 1000 + version.minor - kubeadm.minor
  if (distance < -1) {
    return {
      reason: `kubeadm ${formatVersion(kubeadm)} only deploys v1.${kubeadm.minor - 1}.0 and newer; choose another version, or another kubeadm`,
    }
  }
  const newer = `config: Kubernetes ${formatVersion(version)} is newer than kubeadm ${formatVersion(kubeadm)}; this may fail`
  return { version: kubeadm, notices: distance > 0 ? [newer] : [] }
}

function ownKubeadm(version: Version): KubeadmChoice {
  const newest = parseVersion(DEFAULT_VERSION)
  if (newest === undefined || !isNewerThanKnown(version)) return { version, notices: [] }
  return {
    version: newest,
    notices: [
      `config: Kubernetes ${formatVersion(version)} is newer than any known here; it is set up as kubeadm ${DEFAULT_VERSION} would`,
    ],
  }
}
