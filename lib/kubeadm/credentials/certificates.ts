/**
 * The table of certificates: what kubeadm makes, by whom each is signed, for whom and what it is good for.
 * Files, sub-phases, help and checks walk it; the order is kubeadm's.
 * Source: kubeadm phases/certs/certlist.go (v1.18 to v1.36).
 */
import type { InitConfig } from '../../base/kubeadm.ts'
import type { Since } from '../../base/version.ts'
import { apiServerNames, etcdPeerNames, etcdServerNames } from './certificate-names.ts'
import type { AlternativeNames, Usage } from './x509.ts'

export type AuthorityName = 'ca' | 'front-proxy-ca' | 'etcd-ca'
export type LeafName =
  | 'apiserver'
  | 'apiserver-kubelet-client'
  | 'front-proxy-client'
  | 'etcd-server'
  | 'etcd-peer'
  | 'etcd-healthcheck-client'
  | 'apiserver-etcd-client'
export type CertificateName = AuthorityName | LeafName

interface Named {
  /** What it is, for help: `certificate for serving etcd`. */
  readonly longName: string
  /** Path below the certificates folder without its ending, e.g. `etcd/server`; kubeadm's messages say it too. */
  readonly baseName: string
}

export interface AuthoritySpec extends Named {
  readonly name: AuthorityName
  readonly commonName: string
}

export interface LeafSpec extends Named {
  readonly name: LeafName
  readonly authority: AuthorityName
  /** Absent: the name of the node. */
  readonly commonName?: string
  /** None when absent. */
  readonly organizations?: Since<readonly string[]>
  readonly usages: readonly Usage[]
  /** None when absent. */
  readonly names?: (config: InitConfig) => AlternativeNames
}

export type CertificateSpec = AuthoritySpec | LeafSpec

/** The group that may do everything, whatever RBAC says. */
export const MASTERS = 'system:masters'
export const CLUSTER_ADMINS = 'kubeadm:cluster-admins'

// Source: kubernetes PR 121837 (1.29); PR 138958 to 138964, first in 1.33.12, 1.34.8, 1.35.5 and 1.36.1:
// a ClusterRoleBinding of the bootstrap-token phase takes the place of the group.
const KUBELET_CLIENT_ORGANIZATIONS: Since<readonly string[]> = {
  '1.18': [MASTERS],
  '1.29': [CLUSTER_ADMINS],
  '1.33.12': [],
  '1.34': [CLUSTER_ADMINS],
  '1.34.8': [],
  '1.35': [CLUSTER_ADMINS],
  '1.35.5': [],
  '1.36': [CLUSTER_ADMINS],
  '1.36.1': [],
}

// Source: kubernetes PR 119859 and 120521 (1.29).
const ETCD_CLIENT_ORGANIZATIONS: Since<readonly string[]> = { '1.18': [MASTERS], '1.29': [] }

export const CERTIFICATES: readonly CertificateSpec[] = [
  {
    name: 'ca',
    longName: 'self-signed Kubernetes CA to provision identities for other Kubernetes components',
    baseName: 'ca',
    commonName: 'kubernetes',
  },
  {
    name: 'apiserver',
    longName: 'certificate for serving the Kubernetes API',
    baseName: 'apiserver',
    authority: 'ca',
    commonName: 'kube-apiserver',
    usages: ['serverAuth'],
    names: apiServerNames,
  },
  {
    name: 'apiserver-kubelet-client',
    longName: 'certificate for the API server to connect to kubelet',
    baseName: 'apiserver-kubelet-client',
    authority: 'ca',
    commonName: 'kube-apiserver-kubelet-client',
    organizations: KUBELET_CLIENT_ORGANIZATIONS,
    usages: ['clientAuth'],
  },
  {
    name: 'front-proxy-ca',
    longName: 'self-signed CA to provision identities for front proxy',
    baseName: 'front-proxy-ca',
    commonName: 'front-proxy-ca',
  },
  {
    name: 'front-proxy-client',
    longName: 'certificate for the front proxy client',
    baseName: 'front-proxy-client',
    authority: 'front-proxy-ca',
    commonName: 'front-proxy-client',
    usages: ['clientAuth'],
  },
  {
    name: 'etcd-ca',
    longName: 'self-signed CA to provision identities for etcd',
    baseName: 'etcd/ca',
    commonName: 'etcd-ca',
  },
  {
    name: 'etcd-server',
    longName: 'certificate for serving etcd',
    baseName: 'etcd/server',
    authority: 'etcd-ca',
    // etcd's gateway dials the server with the server's own certificate.
    usages: ['serverAuth', 'clientAuth'],
    names: etcdServerNames,
  },
  {
    name: 'etcd-peer',
    longName: 'certificate for etcd nodes to communicate with each other',
    baseName: 'etcd/peer',
    authority: 'etcd-ca',
    usages: ['serverAuth', 'clientAuth'],
    names: etcdPeerNames,
  },
  {
    name: 'etcd-healthcheck-client',
    longName: 'certificate for liveness probes to healthcheck etcd',
    baseName: 'etcd/healthcheck-client',
    authority: 'etcd-ca',
    commonName: 'kube-etcd-healthcheck-client',
    organizations: ETCD_CLIENT_ORGANIZATIONS,
    usages: ['clientAuth'],
  },
  {
    name: 'apiserver-etcd-client',
    longName: 'certificate the apiserver uses to access etcd',
    baseName: 'apiserver-etcd-client',
    authority: 'etcd-ca',
    commonName: 'kube-apiserver-etcd-client',
    organizations: ETCD_CLIENT_ORGANIZATIONS,
    usages: ['clientAuth'],
  },
]

/** Name of the service account key pair, which is no certificate but a sub-phase and a pair of files like them. */
export const SERVICE_ACCOUNT = 'sa'

/** Whether a row of the table is signed by another one. */
export function isLeaf(spec: CertificateSpec): spec is LeafSpec {
  return 'authority' in spec
}

export const AUTHORITIES: readonly AuthoritySpec[] = CERTIFICATES.filter(spec => !isLeaf(spec))
export const LEAVES: readonly LeafSpec[] = CERTIFICATES.filter(isLeaf)
