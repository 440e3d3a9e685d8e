/** Kernel settings and firewall rules of a live node. */
import { parseSubnet } from '../../base/address.ts'
import { DEFAULT_POD_SUBNET } from '../../base/defaults.ts'
import type { InitConfig, Networking } from '../../base/kubeadm.ts'
import { readSysctl, SYSCTLS, writeSysctl } from '../../machine/host/sysctl.ts'
import { isLocalNode } from '../../machine/local-node/local-node.ts'
import { NODE_BRIDGE, readNodeRanges } from '../../machine/local-node/node-network.ts'
import { applyRules } from '../../machine/network/firewall-chains.ts'
import type { RuleSettings } from '../../machine/network/firewall-rules.ts'

/** Metrics are read there, also by Pods. */
const KUBELET_PORT = 10250

/** Sets what Pods and Services need and is not so yet. Throws a KubestepError. */
export function setSysctls({ podSubnet = '', serviceSubnet }: Pick<Networking, 'podSubnet' | 'serviceSubnet'>): void {
  const hasIpv6 = `${podSubnet}${serviceSubnet}`.includes(':')
  for (const { key, value, ipv6 } of SYSCTLS) {
    const before = readSysctl(key)
    if (value === undefined || before === undefined || before === value || (ipv6 && !hasIpv6)) continue
    writeSysctl(key, value)
  }
}

/** Puts our rules in place. Throws a KubestepError. */
export async function setRules(config: InitConfig): Promise<void> {
  for (const settings of ruleSettings(config)) await applyRules(settings)
}

/** What our rules are about: each family that has both Pods and Services. */
export function ruleSettings({ cluster, init }: InitConfig): RuleSettings[] {
  const { podSubnet = DEFAULT_POD_SUBNET, serviceSubnet } = cluster.networking
  return ([4, 6] as const).flatMap(family => {
    const pods = subnetOf(podSubnet, family)
    const services = subnetOf(serviceSubnet, family)
    const ports = [init.localAPIEndpoint.bindPort, KUBELET_PORT]
    if (pods === undefined || services === undefined) return []
    const nodes = nodeSubnet(family)
    return [
      {
        family,
        podSubnet: pods,
        serviceSubnet: services,
        ports,
        // A node on somebody's machine has its way to all others by that machine, which knows them.
        ...(isLocalNode() && { others: [pods] }),
        ...(nodes !== undefined && { nodes: { subnet: nodes, bridge: NODE_BRIDGE } }),
      },
    ]
  })
}

/** Where further nodes of this machine have their addresses. */
function nodeSubnet(family: 4 | 6): string | undefined {
  const ranges = readNodeRanges()
  return ranges === undefined ? undefined : subnetOf(ranges.join(','), family)
}

function subnetOf(subnets: string, family: 4 | 6): string | undefined {
  return subnets
    .split(',')
    .map(text => text.trim())
    .find(text => parseSubnet(text)?.address.family === family)
}
