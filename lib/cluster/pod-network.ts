/** Which addresses the Pods of this node get. */
import { formatSubnet, parseSubnet } from '../address.ts'
import type { Networking } from '../config/types.ts'
import type { PodRange } from '../network/cni.ts'

/** Where nothing is configured; the range that most CNI add-ons take by default. */
export const DEFAULT_POD_SUBNET = '10.244.0.0/16'

/** Length of a node's mask, as the controller manager has it. Source: kube-controller-manager nodeipam defaults. */
const NODE_MASK: Readonly<Record<4 | 6, number>> = { 4: 24, 6: 64 }

/**
 * The range of the first node in each family: the controller manager hands them out in order, and this cluster has
 * one node, so the network can be there before the controller manager is.
 */
export function nodePodRanges(networking: Pick<Networking, 'podSubnet'>): PodRange[] {
  const subnets = (networking.podSubnet ?? DEFAULT_POD_SUBNET).split(',')
  return subnets.flatMap(text => {
    const subnet = parseSubnet(text.trim())
    if (subnet === undefined) return []
    const { family } = subnet.address
    return [{ family, subnet: formatSubnet({ ...subnet, prefix: Math.max(subnet.prefix, NODE_MASK[family]) }) }]
  })
}
