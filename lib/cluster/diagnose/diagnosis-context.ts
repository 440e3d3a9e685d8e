/** What a diagnosis looks at. */

import type { InitConfig } from '../../base/kubeadm.ts'
import { imageOf } from '../../kubeadm/images/image-list.ts'
import type { ServiceManager } from '../../machine/service/service.ts'
import type { Api } from '../api/api-client.ts'

/** Static Pods in the order in which they need each other. */
export const STATIC_PODS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const

export interface StaticPodImage {
  readonly name: string
  readonly image: string
}

export interface DiagnosisContext {
  readonly services: ServiceManager
  /** The runtime, by its socket (`unix:///...`): a diagnosis opens it anew, for an old connection may be dead. */
  readonly cri?: { readonly socket: string }
  /** undefined when there is no kubeconfig. */
  readonly api?: Api
  /** In the order of STATIC_PODS. */
  readonly staticPods: readonly StaticPodImage[]
  readonly pauseImage?: string
  readonly nodeName?: string
  /** 10248 when left out; 0 when the kubelet serves none. */
  readonly kubeletHealthPort?: number
  /** How often the kubelet had ended before somebody began to watch it; 0 when left out. */
  readonly kubeletRestartsBefore?: number
}

/** The context of a cluster that is being brought up. */
export function contextOf(
  config: InitConfig,
  services: ServiceManager,
  socket: string,
  api: Api | undefined,
): DiagnosisContext {
  const names = STATIC_PODS.filter(name => name !== 'etcd' || config.cluster.etcd.local !== undefined)
  const { healthzPort } = config.kubelet.document
  return {
    services,
    cri: { socket },
    ...(api !== undefined && { api }),
    staticPods: names.map(name => ({ name, image: imageOf(name, config) })),
    pauseImage: imageOf('pause', config),
    nodeName: config.init.nodeRegistration.name,
    ...(typeof healthzPort === 'number' && { kubeletHealthPort: healthzPort }),
  }
}
