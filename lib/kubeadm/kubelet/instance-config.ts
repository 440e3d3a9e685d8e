/** instance-config.yaml: what differs from node to node and therefore is not in the cluster's kubelet ConfigMap. */

import { goQuote } from '../../base/go/quote.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { isFeatureEnabled } from '../config/features.ts'

/** Whether the CRI socket goes into instance-config.yaml rather than onto the command line and the Node. */
export function isSocketNodeLocal({ cluster, kubeadm }: Pick<InitConfig, 'cluster' | 'kubeadm'>): boolean {
  return isFeatureEnabled('NodeLocalCRISocket', cluster.featureGates, kubeadm)
}

/** Content of the file. Source: kubeadm phases/kubelet/config.go, WriteInstanceConfigToDisk (v1.36). */
export function instanceConfig(config: InitConfig): string {
  return `containerRuntimeEndpoint: ${goQuote(config.init.nodeRegistration.criSocket)}\n`
}
