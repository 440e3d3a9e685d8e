/** Arguments of a local etcd. Source: kubeadm phases/etcd/local.go (v1.18.9 to v1.36.2). */
import { joinHostPort } from '../../base/address.ts'
import { isSince, parseVersion, type Since, valueSince } from '../../base/version.ts'
import { etcdTag } from '../images/image-list.ts'
import { type ArgumentRow, type PodInput, pkiFile } from './command-line.ts'
import { etcdClientUrl, etcdLoopbackUrl, etcdPeerUrl, loopback } from './etcd-endpoints.ts'
import { HEALTH_PORTS } from './static-pods.ts'

const pki =
  (name: string) =>
  ({ config }: PodInput): string =>
    pkiFile(config, `etcd/${name}`)

export const ETCD_ARGUMENTS: readonly ArgumentRow[] = [
  { name: 'advertise-client-urls', value: ({ config }) => etcdClientUrl(config) },
  { name: 'cert-file', value: pki('server.crt') },
  { name: 'client-cert-auth', value: 'true' },
  { name: 'data-dir', value: ({ config }) => config.cluster.etcd.local?.dataDir },
  {
    name: 'experimental-initial-corrupt-check',
    value: experimental('true'),
    // CHANGELOG 1.22.10 (k/k PR 109076), 1.23.7 (109075), 1.24.0 (109074).
    releases: { '1.22.10': true, '1.23': false, '1.23.7': true },
  },
  // CHANGELOG 1.25.0 (k/k PR 111383).
  { name: 'experimental-watch-progress-notify-interval', value: experimental('5s'), releases: { '1.25': true } },
  { name: 'feature-gates', value: graduated('InitialCorruptCheck=true') },
  { name: 'initial-advertise-peer-urls', value: ({ config }) => etcdPeerUrl(config) },
  { name: 'initial-cluster', value: initialCluster },
  { name: 'initial-cluster-state', value: ({ etcdMembers }) => (etcdMembers.length > 0 ? 'existing' : undefined) },
  { name: 'key-file', value: pki('server.key') },
  { name: 'listen-client-urls', value: ({ config }) => `${etcdLoopbackUrl(config)},${etcdClientUrl(config)}` },
  {
    name: 'listen-metrics-urls',
    value: ({ config }) => `http://${joinHostPort(loopback(config), HEALTH_PORTS.etcd)}`,
  },
  { name: 'listen-peer-urls', value: ({ config }) => etcdPeerUrl(config) },
  { name: 'name', value: ({ config }) => config.init.nodeRegistration.name },
  { name: 'peer-cert-file', value: pki('peer.crt') },
  { name: 'peer-client-cert-auth', value: 'true' },
  { name: 'peer-key-file', value: pki('peer.key') },
  { name: 'peer-trusted-ca-file', value: pki('ca.crt') },
  { name: 'snapshot-count', value: '10000' },
  { name: 'trusted-ca-file', value: pki('ca.crt') },
  { name: 'watch-progress-notify-interval', value: graduated('5s') },
]

/**
 * Whether etcd gets the flags that graduated with 3.6, or their experimental forebears.
 * Source: kubeadm phases/etcd/local.go (1.33.5 never, 1.34.2 and 1.35.3 by the tag, 1.36.2 always).
 */
export const GRADUATED_FLAGS: Since<'never' | 'by etcd version' | 'always'> = {
  '1.18': 'never',
  '1.34': 'by etcd version',
  '1.36': 'always',
}

function usesGraduatedFlags({ config }: PodInput): boolean {
  const rule = valueSince(GRADUATED_FLAGS, config.kubeadm)
  if (rule !== 'by etcd version') return rule === 'always'
  const etcd = parseVersion(etcdTag(config))
  if (etcd === undefined || !isSince(etcd, '3.6')) return false
  // The `-0` of an image tag counts as a pre-release, so 3.6.0-0 is older than 3.6.0.
  return isSince(etcd, '3.6.1') || etcd.pre === ''
}

function graduated(value: string): (input: PodInput) => string | undefined {
  return input => (usesGraduatedFlags(input) ? value : undefined)
}

function experimental(value: string): (input: PodInput) => string | undefined {
  return input => (usesGraduatedFlags(input) ? undefined : value)
}

function initialCluster({ config, etcdMembers }: PodInput): string {
  const alone = { name: config.init.nodeRegistration.name, peerUrl: etcdPeerUrl(config) }
  const members = etcdMembers.length > 0 ? etcdMembers : [alone]
  return members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',')
}
