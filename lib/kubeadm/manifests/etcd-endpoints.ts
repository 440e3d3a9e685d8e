/** Where this node's etcd listens, and the hosts of probes. */
import { joinHostPort, parseAddress } from '../../base/address.ts'
import type { InitConfig } from '../../base/kubeadm.ts'

export const ETCD_CLIENT_PORT = 2379
export const ETCD_PEER_PORT = 2380

/** The loopback address of the advertise address' family. */
export function loopback(config: InitConfig): '::1' | '127.0.0.1' {
  return parseAddress(config.init.localAPIEndpoint.advertiseAddress)?.family === 6 ? '::1' : '127.0.0.1'
}

/** The URL at which this node's etcd serves clients. Source: kubeadm util/etcd/etcd.go, GetClientURL. */
export function etcdClientUrl(config: InitConfig): string {
  return `https://${joinHostPort(config.init.localAPIEndpoint.advertiseAddress, ETCD_CLIENT_PORT)}`
}

/** The URL at which it serves clients on the node itself. */
export function etcdLoopbackUrl(config: InitConfig): string {
  return `https://${joinHostPort(loopback(config), ETCD_CLIENT_PORT)}`
}

/** The URL at which it talks to other members. Source: kubeadm util/etcd/etcd.go, GetPeerURL. */
export function etcdPeerUrl(config: InitConfig): string {
  return `https://${joinHostPort(config.init.localAPIEndpoint.advertiseAddress, ETCD_PEER_PORT)}`
}

/** Host of a probe: none for an unspecified address, so that the kubelet takes the Pod's. Source: kubeadm util/staticpod. */
export function probeHost(address: string): string | undefined {
  return address === '0.0.0.0' || address === '::' || address === '' ? undefined : address
}
