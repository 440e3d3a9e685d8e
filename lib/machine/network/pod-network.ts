/** Which addresses the Pods of this node get. */
import { formatSubnet, parseSubnet } from '../../base/address.ts'
import { UsageError } from '../../base/errors.ts'
import type { Networking } from '../../base/kubeadm.ts'
import { LAYOUT } from '../../base/paths.ts'
import type { PodRange } from './cni.ts'

/** Where nothing is configured; the range that most CNI add-ons take by default. */
export const DEFAULT_POD_SUBNET = '10.244.0.0/16'

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
const ADD_ON_FOLDERS: CniFolders = { confDir: '/etc/cni/net.d', binDir: '/opt/cni/bin' }

/** Whether a Pod network is to be set up. Throws a UsageError for a word that --cni does not know. */
export function wantsNetwork(cni = 'bridge'): boolean {
  if (cni === 'bridge' || cni === 'none') return cni === 'bridge'
  throw new UsageError(`init: cannot set up Pod network "${cni}": there is no such one; use bridge or none`)
}

/** Our own folders with the plugins that were found, or those of network add-ons when the Pod network is somebody else's. */
export function cniFolders(cni: string | undefined, binDir: string): CniFolders {
  return cni === 'none' ? ADD_ON_FOLDERS : { confDir: LAYOUT.cni.conf, binDir }
}

/** What a cluster without a Pod network can reach. */
export const GATES_WITHOUT_NETWORK = 'api,control-plane,service-account'
