/** kubeadm's feature gates. Source: kubeadm features/features.go of 1.18, 1.19, 1.21 to 1.28, 1.30 and 1.36 */
import { nearest } from '../../base/nearest.ts'
import { isSince, type Since, type Version, valueSince } from '../../base/version.ts'
import type { Finding } from './findings.ts'

export interface FeatureGate {
  readonly name: string
  /** Its default, by release; the first row is the release that brought it. */
  readonly defaults: Since<boolean>
  /** The first release without it. */
  readonly until?: string
  /** Since when kubeadm warns that it will go away, and what to do instead. */
  readonly deprecated?: readonly [since: string, advice: string]
}

export const FEATURE_GATES: readonly FeatureGate[] = [
  { name: 'ControlPlaneKubeletLocalMode', defaults: { '1.31': false, '1.33': true }, until: '1.36' },
  { name: 'EtcdLearnerMode', defaults: { '1.27': false, '1.29': true }, until: '1.33' },
  { name: 'IPv6DualStack', defaults: { '1.16': false, '1.21': true }, until: '1.24' },
  { name: 'NodeLocalCRISocket', defaults: { '1.32': false, '1.34': true } },
  {
    name: 'PublicKeysECDSA',
    defaults: { '1.18': false },
    deprecated: ['1.30', 'set encryptionAlgorithm to ECDSA-P256'],
  },
  { name: 'RootlessControlPlane', defaults: { '1.22': false } },
  { name: 'UnversionedKubeletConfigMap', defaults: { '1.23': false, '1.24': true }, until: '1.26' },
  {
    name: 'UpgradeAddonsBeforeControlPlane',
    defaults: { '1.28': false },
    until: '1.31',
    deprecated: ['1.28', 'leave it out'],
  },
  { name: 'WaitForAllControlPlaneComponents', defaults: { '1.30': false, '1.33': true }, until: '1.35' },
]

/** Whether a kubeadm release has the gate. */
export function hasFeature({ defaults, until }: FeatureGate, kubeadm: Version): boolean {
  return valueSince(defaults, kubeadm) !== undefined && (until === undefined || !isSince(kubeadm, until))
}

/** Whether a gate is on: as configured, else as the release has it by default; false in releases without it. */
export function isFeatureEnabled(
  name: string,
  gates: Readonly<Record<string, boolean>> | undefined,
  kubeadm: Version,
): boolean {
  const gate = FEATURE_GATES.find(one => one.name === name)
  if (gate === undefined || !hasFeature(gate, kubeadm)) return false
  return gates?.[name] ?? valueSince(gate.defaults, kubeadm) ?? false
}

/** Gates that the release does not have. Source: kubeadm ValidateFeatureGates (v1.36). */
export function checkFeatureGates(gates: Readonly<Record<string, boolean>>, kubeadm: Version): Finding[] {
  const known = FEATURE_GATES.filter(gate => hasFeature(gate, kubeadm)).map(gate => gate.name)
  return Object.keys(gates)
    .filter(name => !known.includes(name))
    .map(name => ({
      kind: 'ClusterConfiguration',
      field: 'featureGates',
      value: name,
      reason: `it is not a valid feature name: ${availability(name)}; ${advice(name, known)}`,
    }))
}

/** A line for every gate that will go away. */
export function featureNotices(gates: Readonly<Record<string, boolean>>, kubeadm: Version): string[] {
  return FEATURE_GATES.flatMap(({ name, deprecated }) =>
    deprecated !== undefined && gates[name] !== undefined && isSince(kubeadm, deprecated[0])
      ? [`config: the feature gate "${name}" is deprecated; ${deprecated[1]}`]
      : [],
  )
}

function advice(name: string, known: readonly string[]): string {
  const hint = nearest(name, known)
  if (hint !== undefined) return `did you mean "${hint}"?`
  // The commonest mistake: the gates of Kubernetes itself.
  return FEATURE_GATES.some(gate => gate.name === name)
    ? `use ${known.join(', ')}`
    : `kubeadm's own are ${known.join(', ')}; gates of Kubernetes itself go into the argument feature-gates of apiServer, controllerManager and scheduler, and into featureGates of a KubeletConfiguration`
}

function availability(name: string): string {
  const gate = FEATURE_GATES.find(one => one.name === name)
  if (gate === undefined) return 'no release has it'
  const since = `kubeadm has it since ${Object.keys(gate.defaults)[0]}`
  return gate.until === undefined ? since : `${since}, no longer since ${gate.until}`
}
