/** Where clients of the cluster find its API server. */
import { formatAddress, joinHostPort, parseAddress } from '../../base/address.ts'
import type { InitConfig } from '../../base/kubeadm.ts'

/** `https://host:port` of the control plane: its common endpoint, else this node's. Source: kubeadm util/endpoint.go (v1.36). */
export function controlPlaneUrl({ cluster, init }: Pick<InitConfig, 'cluster' | 'init'>): string {
  const { advertiseAddress, bindPort } = init.localAPIEndpoint
  const endpoint = cluster.controlPlaneEndpoint
  if (endpoint) return `https://${/(\]|^[^:]+):\d+$/.test(endpoint) ? endpoint : joinHostPort(endpoint, bindPort)}`
  const address = parseAddress(advertiseAddress)
  return `https://${joinHostPort(address === undefined ? advertiseAddress : formatAddress(address), bindPort)}`
}
