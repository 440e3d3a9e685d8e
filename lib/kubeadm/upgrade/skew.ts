/** Which version may follow which. Source: kubeadm phases/upgrade/policy.go (v1.36); a kubeadm here is as new as its target. */
import { formatVersion, isNewerThanKnown, isOlder, type Since, type Version, valueSince } from '../../base/version.ts'

/** How many minors a kubelet may be behind the API server. Source: policy.go (v1.28, v1.29; k/k PR 120825). */
export const KUBELET_SKEW: Since<number> = { '1.18': 1, '1.29': 3 }

/** Why a kubelet may not be in a cluster, and what may; undefined when it may. */
export function kubeletFault(cluster: Version, kubelet: Version): string | undefined {
  const most = valueSince(KUBELET_SKEW, cluster) ?? 1
  const range = `a kubelet may be up to ${most} minor version${most === 1 ? '' : 's'} older than the API server, and no newer`
  const isGood =
    kubelet.major === cluster.major && kubelet.minor <= cluster.minor && kubelet.minor >= cluster.minor - most
  return isGood ? undefined : range
}

/** What decides whether a cluster may go to a version. */
export interface VersionStep {
  readonly from: Version
  readonly to: Version
  readonly kubelets: readonly Version[]
  readonly allowExperimental?: boolean
  readonly allowReleaseCandidate?: boolean
}

interface SkewRow {
  /** Undefined when the rule holds. */
  readonly fault: (step: VersionStep) => string | undefined
  /** Whether --force passes over it. */
  readonly skippable: (step: VersionStep) => boolean
}

const always = (): boolean => true
const forPreReleases = ({ to }: VersionStep): boolean => to.pre !== ''

export const SKEW_RULES: readonly SkewRow[] = [
  {
    fault: ({ from, to }) =>
      to.major !== from.major || to.minor > from.minor + 1
        ? `it is more than one minor version above ${formatVersion(from)}, which this cluster has; go by v${from.major}.${from.minor + 1} first`
        : undefined,
    skippable: forPreReleases,
  },
  {
    fault: ({ from, to }) =>
      to.minor < from.minor - 1
        ? `it is more than one minor version below ${formatVersion(from)}, which this cluster has`
        : undefined,
    skippable: forPreReleases,
  },
  {
    fault: ({ from, to }) =>
      isOlder(to, from) && to.minor >= from.minor - 1
        ? `it is older than ${formatVersion(from)}, which this cluster has; --force does it all the same`
        : undefined,
    skippable: always,
  },
  {
    fault: ({ to }) =>
      isNewerThanKnown(to) ? 'it is newer than any release known here; --force does it all the same' : undefined,
    skippable: always,
  },
  {
    fault: ({ to, allowExperimental, allowReleaseCandidate }) => {
      if (to.pre === '' || allowExperimental || (to.pre.startsWith('rc') && allowReleaseCandidate)) return undefined
      const flag = to.pre.startsWith('rc') ? '--allow-release-candidate-upgrades' : '--allow-experimental-upgrades'
      return `it is not a stable version; allow it with ${flag}`
    },
    skippable: always,
  },
  {
    fault: ({ to, kubelets }) => {
      const most = valueSince(KUBELET_SKEW, to) ?? 1
      const old = kubelets.filter(({ minor }) => to.minor > minor + most).map(formatVersion)
      return old.length === 0
        ? undefined
        : `there are kubelets of ${[...new Set(old)].join(', ')}, which may be no more than ${most} minor version${most === 1 ? '' : 's'} older; upgrade those first`
    },
    skippable: always,
  },
]

/** Every rule that a step breaks, as reasons; those that `force` passes over stand apart. */
export function skewFaults(step: VersionStep): {
  readonly faults: readonly string[]
  readonly passable: readonly string[]
} {
  const broken = SKEW_RULES.flatMap(({ fault, skippable }) => {
    const reason = fault(step)
    return reason === undefined ? [] : [{ reason, passable: skippable(step) }]
  })
  return {
    faults: broken.filter(({ passable }) => !passable).map(({ reason }) => reason),
    passable: broken.filter(({ passable }) => passable).map(({ reason }) => reason),
  }
}
