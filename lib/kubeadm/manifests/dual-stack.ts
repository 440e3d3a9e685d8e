/** What kubeadm did for dual stack while it was a feature gate, and the node masks it reckoned out before. */
import { BITS, parseSubnet } from '../../base/address.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import type { ArgumentRow, PodInput } from './command-line.ts'

const GATE = 'IPv6DualStack'

/** The gate is handed on to the components. Source: kubeadm 1.18.9 to 1.22.4; gone in 1.23.5 (the gate went GA in 1.23). */
export const dualStackGate: ArgumentRow = {
  name: 'feature-gates',
  value: ({ config }) => {
    const enabled = config.cluster.featureGates?.[GATE]
    return enabled === undefined ? undefined : `${GATE}=${enabled}`
  },
  releases: { '1.18': true, '1.23': false },
}

/** The node masks handed to the controller manager. Source: kubeadm 1.18.9 and 1.19.14, calcNodeCidrSize; gone in 1.20.2. */
export const nodeMasks: readonly ArgumentRow[] = [
  nodeMask('node-cidr-mask-size', ({ config }) => {
    const { podSubnet } = config.cluster.networking
    // A list does not parse as one CIDR, so it gets the mask of IPv4.
    return podSubnet === undefined || dualStack(config) ? undefined : maskOf(podSubnet).size
  }),
  nodeMask('node-cidr-mask-size-ipv4', input => dualStackMask(input, false)),
  nodeMask('node-cidr-mask-size-ipv6', input => dualStackMask(input, true)),
]

function nodeMask(name: string, value: (input: PodInput) => number | undefined): ArgumentRow {
  return {
    name,
    value: input => value(input)?.toString(),
    releases: { '1.18': true, '1.20': false },
  }
}

function dualStackMask({ config }: PodInput, ipv6: boolean): number | undefined {
  if (!dualStack(config)) return undefined
  const masks = config.cluster.networking.podSubnet?.split(',').map(maskOf)
  return masks?.findLast(mask => mask.ipv6 === ipv6)?.size
}

function dualStack(config: InitConfig): boolean {
  return config.cluster.featureGates?.[GATE] ?? false
}

const IPV4_NODE_MASK = 24

/** The mask of one node's share: /24 of IPv4; of IPv6 a multiple of 8 that leaves room for 512 to 64K nodes. */
function maskOf(subnet: string): { readonly size: number; readonly ipv6: boolean } {
  const parsed = parseSubnet(subnet)
  if (parsed?.address.family !== 6) return { size: IPV4_NODE_MASK, ipv6: false }
  const { prefix } = parsed
  if (prefix === 112) return { size: 120, ipv6: true }
  if (prefix > 112) return { size: prefix, ipv6: true }
  return { size: BITS[6] - (Math.trunc((BITS[6] - prefix - 1) / 8) - 1) * 8, ipv6: true }
}
