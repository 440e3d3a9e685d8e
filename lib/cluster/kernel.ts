/** Kernel settings and firewall rules of a live node. */
import { parseSubnet } from '../address.ts'
import type { Networking } from '../config/types.ts'
import { readSysctl, SYSCTLS, writeSysctl } from '../host/sysctl.ts'
import { applyRules } from '../network/firewall.ts'
import { DEFAULT_POD_SUBNET } from './pod-network.ts'

/** Sets what Pods and Services need and is not so yet. Throws a KubestepError. */
export function setSysctls({ podSubnet = '', serviceSubnet }: Networking): void {
  const hasIpv6 = `${podSubnet}${serviceSubnet}`.includes(':')
  for (const { key, value, ipv6 } of SYSCTLS) {
    const before = readSysctl(key)
    if (value === undefined || before === undefined || before === value || (ipv6 && !hasIpv6)) continue
    writeSysctl(key, value)
  }
}

/** Puts our rules in place, for each family that has both Pods and Services. Throws a KubestepError. */
export async function setRules({ podSubnet = DEFAULT_POD_SUBNET, serviceSubnet }: Networking): Promise<void> {
  for (const family of [4, 6] as const) {
    const pods = subnetOf(podSubnet, family)
    const serviceRange = subnetOf(serviceSubnet, family)
    if (pods !== undefined && serviceRange !== undefined) {
      await applyRules({ family, podSubnet: pods, serviceSubnet: serviceRange })
    }
  }
}

function subnetOf(subnets: string, family: 4 | 6): string | undefined {
  return subnets
    .split(',')
    .map(text => text.trim())
    .find(text => parseSubnet(text)?.address.family === family)
}
