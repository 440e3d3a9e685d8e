/** Every document a configuration file may hold: its API version, kind and fields. */

import type { Struct } from '../../base/go/struct.ts'
import type { ApiVersion, KubeadmKind } from '../../base/kubeadm.ts'
import type { Since } from '../../base/version.ts'
import { KUBE_PROXY_CONFIGURATION } from '../component-configs/kube-proxy-schema.ts'
import { KUBELET_CONFIGURATION } from '../component-configs/kubelet-schema.ts'
import { V1BETA2, V1BETA3, V1BETA4 } from './kubeadm-schema.ts'

export type ComponentKind = 'KubeletConfiguration' | 'KubeProxyConfiguration'

export interface KindRow {
  readonly apiVersion: string
  readonly kind: KubeadmKind | ComponentKind | 'ClusterStatus'
  /** Its fields; absent when the document is accepted and left alone. */
  readonly struct?: Struct
}

/** What each of kubeadm's API versions has, the newest first. */
const OWN: readonly (readonly [apiVersion: ApiVersion, kinds: readonly KubeadmKind[], structs: typeof V1BETA4])[] = [
  [
    'kubeadm.k8s.io/v1beta4',
    ['InitConfiguration', 'ClusterConfiguration', 'JoinConfiguration', 'ResetConfiguration', 'UpgradeConfiguration'],
    V1BETA4,
  ],
  ['kubeadm.k8s.io/v1beta3', ['InitConfiguration', 'ClusterConfiguration', 'JoinConfiguration'], V1BETA3],
  ['kubeadm.k8s.io/v1beta2', ['InitConfiguration', 'ClusterConfiguration', 'JoinConfiguration'], V1BETA2],
]

export const KINDS: readonly KindRow[] = [
  ...OWN.flatMap(([apiVersion, kinds, structs]) => kinds.map(kind => ({ apiVersion, kind, struct: structs(kind) }))),
  // What kubeadm kept in the cluster until 1.21; a dump of it may hold one, nothing reads it.
  { apiVersion: 'kubeadm.k8s.io/v1beta2', kind: 'ClusterStatus' },
  { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration', struct: KUBELET_CONFIGURATION },
  { apiVersion: 'kubeproxy.config.k8s.io/v1alpha1', kind: 'KubeProxyConfiguration', struct: KUBE_PROXY_CONFIGURATION },
]

/** Since which kubeadm release an API version earns a warning. Source: kubeadm util/config/common.go (v1.22, v1.31). */
export const DEPRECATED_SINCE: Readonly<Partial<Record<string, string>>> = {
  'kubeadm.k8s.io/v1beta2': '1.22',
  'kubeadm.k8s.io/v1beta3': '1.31',
}

/**
 * API versions nobody reads any more, and what to do about them. Those of v1beta1 are the fields of v1beta2, which added
 * a few. Source: kubeadm util/config/common.go (v1.36), apis/kubeadm/v1beta2/doc.go (v1.15).
 */
export const FORMER_API_VERSIONS: Readonly<Partial<Record<string, string>>> = {
  'kubeadm.k8s.io/v1alpha1': former('v1.11'),
  'kubeadm.k8s.io/v1alpha2': former('v1.12'),
  'kubeadm.k8s.io/v1alpha3': former('v1.14'),
  'kubeadm.k8s.io/v1beta1': `write "kubeadm.k8s.io/v1beta2" instead, which has the same fields; "config migrate" then rewrites the file`,
}

function former(kubeadm: string): string {
  return `write "kubeadm.k8s.io/v1beta4" with the fields as they are called now, or convert the file with kubeadm ${kubeadm} and its successors: kubeadm config migrate --old-config FILE`
}

export const KIND_ADVICE =
  'it is a configuration of kind: give it to init as --kind-config, or in a workflow as kind-config; what of it counts is in docs/migrate.md#helmkind-action'

/** Configurations of other tools, by group, and how to come over from them. */
export const OTHER_TOOLS: readonly (readonly [group: RegExp, advice: string])[] = [
  [/^kind\.(?:x-k8s|sigs\.k8s)\.io$/, KIND_ADVICE],
  [/(?:^|\.)k3d\.io$/, 'it is a configuration of k3d: what to write instead is in docs/migrate.md#k3d-and-k3s'],
  [
    /(?:^|\.)cluster\.x-k8s\.io$/,
    'it is an object of Cluster API: give what it has below clusterConfiguration and initConfiguration as documents, with apiVersion and kind',
  ],
  [
    /^(?:eksctl|k0s\.k0sproject|k0sctl\.k0sproject|kops\.k8s|rke2?|minikube)\.io$/,
    'it is a configuration of another tool; give one of kubeadm',
  ],
]

/** The API version that a kubeadm release writes. Source: kubeadm apis/kubeadm/scheme/scheme.go (v1.18 to v1.36). */
export const WRITTEN_API_VERSION: Since<ApiVersion> = {
  '1.18': 'kubeadm.k8s.io/v1beta2',
  '1.22': 'kubeadm.k8s.io/v1beta3',
  '1.31': 'kubeadm.k8s.io/v1beta4',
}

/** The fields of a kind in an API version; undefined when it has no such kind. */
export function structOf(apiVersion: string, kind: string): Struct | undefined {
  return KINDS.find(row => row.apiVersion === apiVersion && row.kind === kind)?.struct
}
