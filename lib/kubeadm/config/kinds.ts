/** Every document a configuration file may hold: its API version, kind and fields. */

import type { Struct } from '../../base/go/struct.ts'
import type { ApiVersion, KubeadmKind } from '../../base/kubeadm.ts'
import type { Since } from '../../base/version.ts'
import { KUBE_PROXY_CONFIGURATION } from '../component-configs/kube-proxy-schema.ts'
import { KUBELET_CONFIGURATION } from '../component-configs/kubelet-schema.ts'
import * as v1beta2 from './v1beta2.ts'
import * as v1beta3 from './v1beta3.ts'
import * as v1beta4 from './v1beta4.ts'

export type ComponentKind = 'KubeletConfiguration' | 'KubeProxyConfiguration'

export interface KindRow {
  readonly apiVersion: string
  readonly kind: KubeadmKind | ComponentKind | 'ClusterStatus'
  /** Its fields; absent when the document is accepted and left alone. */
  readonly struct?: Struct
}

const V1BETA4 = 'kubeadm.k8s.io/v1beta4'
const V1BETA3 = 'kubeadm.k8s.io/v1beta3'
const V1BETA2 = 'kubeadm.k8s.io/v1beta2'

export const KINDS: readonly KindRow[] = [
  { apiVersion: V1BETA4, kind: 'InitConfiguration', struct: v1beta4.INIT },
  { apiVersion: V1BETA4, kind: 'ClusterConfiguration', struct: v1beta4.CLUSTER },
  { apiVersion: V1BETA4, kind: 'JoinConfiguration', struct: v1beta4.JOIN },
  { apiVersion: V1BETA4, kind: 'ResetConfiguration', struct: v1beta4.RESET },
  { apiVersion: V1BETA4, kind: 'UpgradeConfiguration', struct: v1beta4.UPGRADE },
  { apiVersion: V1BETA3, kind: 'InitConfiguration', struct: v1beta3.INIT },
  { apiVersion: V1BETA3, kind: 'ClusterConfiguration', struct: v1beta3.CLUSTER },
  { apiVersion: V1BETA3, kind: 'JoinConfiguration', struct: v1beta3.JOIN },
  { apiVersion: V1BETA2, kind: 'InitConfiguration', struct: v1beta2.INIT },
  { apiVersion: V1BETA2, kind: 'ClusterConfiguration', struct: v1beta2.CLUSTER },
  { apiVersion: V1BETA2, kind: 'JoinConfiguration', struct: v1beta2.JOIN },
  // What kubeadm kept in the cluster until 1.21; a dump of it may hold one, nothing reads it.
  { apiVersion: V1BETA2, kind: 'ClusterStatus' },
  { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration', struct: KUBELET_CONFIGURATION },
  { apiVersion: 'kubeproxy.config.k8s.io/v1alpha1', kind: 'KubeProxyConfiguration', struct: KUBE_PROXY_CONFIGURATION },
]

/** Since which kubeadm release an API version earns a warning. Source: kubeadm util/config/common.go (v1.22, v1.31). */
export const DEPRECATED_SINCE: Readonly<Partial<Record<string, string>>> = { [V1BETA2]: '1.22', [V1BETA3]: '1.31' }

/**
 * API versions nobody reads any more, and what to do about them. Those of v1beta1 are the fields of v1beta2, which added
 * a few. Source: kubeadm util/config/common.go (v1.36), apis/kubeadm/v1beta2/doc.go (v1.15).
 */
export const FORMER_API_VERSIONS: Readonly<Partial<Record<string, string>>> = {
  'kubeadm.k8s.io/v1alpha1': former('v1.11'),
  'kubeadm.k8s.io/v1alpha2': former('v1.12'),
  'kubeadm.k8s.io/v1alpha3': former('v1.14'),
  'kubeadm.k8s.io/v1beta1': `write "${V1BETA2}" instead, which has the same fields; "config migrate" then writes the file anew`,
}

function former(kubeadm: string): string {
  return `write "${V1BETA4}" with the fields as they are called now, or convert the file with kubeadm ${kubeadm} and its successors: kubeadm config migrate --old-config FILE`
}

export const KIND_ADVICE =
  'it is a configuration of kind: give the documents below kubeadmConfigPatches, with an apiVersion each; what the rest is here stands in docs/migrate.md#helmkind-action'

/** Configurations of other tools, by group, and how to come over from them. */
export const OTHER_TOOLS: readonly (readonly [group: RegExp, advice: string])[] = [
  [/^kind\.(?:x-k8s|sigs\.k8s)\.io$/, KIND_ADVICE],
  [/(?:^|\.)k3d\.io$/, 'it is a configuration of k3d: what it is here stands in docs/migrate.md#k3d-and-k3s'],
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
export const WRITTEN_API_VERSION: Since<ApiVersion> = { '1.18': V1BETA2, '1.22': V1BETA3, '1.31': V1BETA4 }

/** The fields of a kind in an API version; undefined when it has no such kind. */
export function structOf(apiVersion: string, kind: string): Struct | undefined {
  return KINDS.find(row => row.apiVersion === apiVersion && row.kind === kind)?.struct
}
