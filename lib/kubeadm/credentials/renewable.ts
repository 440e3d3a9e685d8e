/** What `certs renew` and `certs check-expiration` go by: a row for each certificate that the node's CAs sign. */
import type { InitConfig } from '../../base/kubeadm.ts'
import { isSince } from '../../base/version.ts'
import { type AuthorityName, LEAVES, type LeafSpec } from './certificates.ts'
import { KUBECONFIGS, type KubeconfigSpec } from './kubeconfigs.ts'

interface Row {
  /** The certificate's name, or the kubeconfig's file: `etcd-server`, `admin.conf`. */
  readonly name: string
  /** As messages have it. */
  readonly longName: string
  readonly authority: AuthorityName
}

export type Renewable = Row & ({ readonly leaf: LeafSpec } | { readonly kubeconfig: KubeconfigSpec })

/** kubeadm's words where they are not those of the table. */
const LONG_NAMES: Readonly<Partial<Record<KubeconfigSpec['name'], string>>> = {
  scheduler: 'kubeconfig file for the scheduler manager to use',
}

/** A kubelet renews its own certificate while it runs; this is for one that ended before it could. */
export const KUBELET_CLIENT: Renewable = {
  name: 'kubelet.conf',
  longName: 'client certificate of the kubelet',
  authority: 'ca',
  kubeconfig: kubeletConfig(),
}

function kubeletConfig(): KubeconfigSpec {
  const [spec] = KUBECONFIGS.filter(({ name }) => name === 'kubelet')
  if (spec === undefined) throw new Error('there is no row for the kubelet')
  return spec
}

/**
 * All of them by name. The kubelet renews its own certificate, so kubelet.conf is none of them; CAs are not renewed.
 * Source: kubeadm phases/certs/renewal/manager.go (v1.36).
 */
export const RENEWABLES: readonly Renewable[] = [
  ...LEAVES.map(leaf => ({ name: leaf.name, longName: leaf.longName, authority: leaf.authority, leaf })),
  ...KUBECONFIGS.filter(({ name }) => name !== 'kubelet').map(kubeconfig => ({
    name: kubeconfig.file,
    longName: `certificate embedded in the ${LONG_NAMES[kubeconfig.name] ?? kubeconfig.longName}`,
    authority: 'ca' as const,
    kubeconfig,
  })),
].sort((one, other) => (one.name < other.name ? -1 : 1))

/** Those that a cluster has: none of etcd's where etcd is elsewhere, and no kubeconfig that its release does not know. */
export function renewablesOf({ cluster, kubeadm }: Pick<InitConfig, 'cluster' | 'kubeadm'>): Renewable[] {
  return RENEWABLES.filter(row => {
    if ('kubeconfig' in row) return isSince(kubeadm, row.kubeconfig.since)
    return cluster.etcd.external === undefined || row.authority !== 'etcd-ca'
  })
}

/**
 * Whether it is made again with all others where it is missing. Whoever has put super-admin.conf away, as is advised,
 * does not want it back unasked; nodes that joined never had one.
 */
export function isMadeByAll(row: Renewable): boolean {
  return !('kubeconfig' in row) || row.kubeconfig.name !== 'super-admin'
}
