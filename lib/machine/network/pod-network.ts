/** Which addresses the Pods of this node get. */

import { formatSubnet, parseSubnet } from '../../base/address.ts'
import { DEFAULT_POD_NETWORK, DEFAULT_POD_SUBNET, POD_NETWORKS, type PodNetwork } from '../../base/defaults.ts'
import type { Networking } from '../../base/kubeadm.ts'
import { LAYOUT, NODE } from '../../base/paths.ts'
import type { PodRange } from './cni.ts'

/** Length of a node's mask, as the controller manager has it. Source: kube-controller-manager nodeipam defaults. */
const NODE_MASK: Readonly<Record<4 | 6, number>> = { 4: 24, 6: 64 }

/**
 * The range of the first node in each family: the controller manager hands them out in order, so the network can be
 * there before the controller manager is. `masks` are those that it is told.
 */
export function nodePodRanges(
  networking: Pick<Networking, 'podSubnet'>,
  masks: Readonly<Partial<Record<4 | 6, number>>> = {},
): PodRange[] {
  const subnets = (networking.podSubnet ?? DEFAULT_POD_SUBNET).split(',')
  return subnets.flatMap(text => {
    const subnet = parseSubnet(text.trim())
    if (subnet === undefined) return []
    const { family } = subnet.address
    return [
      {
        family,
        subnet: formatSubnet({ ...subnet, prefix: Math.max(subnet.prefix, masks[family] ?? NODE_MASK[family]) }),
      },
    ]
  })
}

/** Where a runtime of our own looks for CNI. */
export interface CniFolders {
  readonly confDir: string
  readonly binDir: string
}

/** Where network add-ons put their configuration and plugins. Source: CNI conventions; flannel, Calico, Cilium. */
const ADD_ON_FOLDERS: CniFolders = { confDir: NODE.cniConf, binDir: NODE.cniBin[0] }

/** The Pod network that --cni names. */
export function podNetworkOf(cni: string | undefined): PodNetwork {
  return POD_NETWORKS.find(name => name === cni) ?? DEFAULT_POD_NETWORK
}

/** Whether a Pod network is to be set up. */
export function wantsNetwork(cni: string | undefined): boolean {
  return podNetworkOf(cni) === 'bridge'
}

/** Our own folders with the plugins that were found, or those of network add-ons when the Pod network is somebody else's. */
export function cniFolders(cni: string | undefined, binDir: string): CniFolders {
  return wantsNetwork(cni) ? { confDir: LAYOUT.cni.conf, binDir } : ADD_ON_FOLDERS
}

/** What a cluster without a Pod network can reach. */
export const GATES_WITHOUT_NETWORK = 'api,control-plane,service-account'
