/** Which Kubernetes to deploy, and which kubeadm release to write as. Nothing is looked up on the network. */
import { DEFAULT_VERSION } from '../../base/defaults.ts'
import {
  formatVersion,
  isNewerThanKnown,
  NEWEST_MINOR,
  OLDEST_MINOR,
  parseVersion,
  type Version,
} from '../../base/version.ts'
import { isKnownName, lostZero, newestKnown, readVersionName } from './named-versions.ts'

export { NEWEST_PATCHES, newestPatch } from './named-versions.ts'

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
  /** Whether a name will do of which nothing is known here, as where init would look it up. */
  readonly guess?: boolean
}

const TOO_OLD = `releases before v1.${OLDEST_MINOR} are not supported; choose a newer one`
const NUMERIC_WITH_ZERO = /^0\d+$/

/**
 * What a `kubernetesVersion` stands for: `v1.36.2`, `1.36.2`, `release/...`, `ci/...`, or a name: `1.36`, `stable`,
 * `latest-1.35`. A name is the newest release known here, as it is for a kubeadm without a network.
 * Without a text it is the version of the kubeadm that is asked for, else the newest release.
 * Source: kubeadm util/version.go (v1.36) without its look-ups; it refuses `1.36`.
 */
export function chooseVersion(text: string, options: VersionOptions = {}): VersionChoice | VersionFault {
  const wanted = text === '' ? defaultVersion(options) : text
  const name = readVersionName(wanted)
  if (name !== undefined && !isKnownName(name) && !options.guess) return { reason: unknownName(wanted) }
  const [, prefix = '', label = ''] = /^(?:(release|ci)\/)?(.*)$/s.exec(wanted) ?? []
  const exact = name === undefined ? label : newestKnown(name)
  const version = semanticVersion(exact)
  if (version === undefined) return { reason: versionReason(label) }
  if (version.major < 1 || (version.major === 1 && version.minor < OLDEST_MINOR)) return { reason: TOO_OLD }
  const kubeadm = chooseKubeadm(version, options.kubeadm)
  if ('reason' in kubeadm) return kubeadm
  const assumed =
    name === undefined || text === '' || text === 'stable-1'
      ? []
      : [`config: kubernetesVersion "${text}" is taken as ${exact}, the newest known here; nothing is looked up`]
  return {
    kubernetesVersion: `${prefix === 'ci' && name === undefined ? 'ci/' : ''}${exact.startsWith('v') ? exact : `v${exact}`}`,
    version,
    kubeadm: kubeadm.version,
    notices: [...assumed, ...kubeadm.notices],
  }
}

function defaultVersion({ kubeadm }: VersionOptions): string {
  return kubeadm === undefined || semanticVersion(kubeadm) === undefined ? DEFAULT_VERSION : kubeadm
}

// Go's semantic versions know neither empty parts nor numbers with leading zeros after the dash.
function semanticVersion(text: string): Version | undefined {
  const version = parseVersion(text)
  if (version === undefined || /[-+.](?:[.+]|$)/.test(text)) return undefined
  return version.pre.split('.').some(part => NUMERIC_WITH_ZERO.test(part)) ? undefined : version
}

function versionReason(label: string): string {
  const zero = lostZero(label)
  if (zero !== undefined) return zero
  return /^v?1\.\d+$/.test(label) ? TOO_OLD : `it is not a version; write it like ${DEFAULT_VERSION}`
}

function unknownName(name: string): string {
  const minor = /(\d+\.\d+)$/.exec(name)?.[1]
  const example = minor === undefined ? DEFAULT_VERSION : `v${minor}.0`
  return `what it stands for would have to be looked up on the network; write an exact version like ${example}`
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
