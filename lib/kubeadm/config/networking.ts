/** `networking`: the subnets of Services and Pods. Source: kubeadm ValidateNetworking (v1.36; v1.18 to v1.23 for the older rules). */
import { BITS, containsAddress, formatSubnet, parseSubnet, type Subnet, subnetSize } from '../../base/address.ts'
import { subdomainFault } from '../../base/dns-names.ts'
import type { ClusterConfiguration } from '../../base/kubeadm.ts'
import { isSince, type Version } from '../../base/version.ts'
import { extraArgument } from './extra-args.ts'
import { isFeatureEnabled } from './features.ts'
import type { Finding } from './findings.ts'

const KIND = 'ClusterConfiguration'

/** The cluster's DNS is the tenth address of the first Service subnet; Pods need a few more. */
const LEAST_SERVICE_ADDRESSES = 10
const LEAST_POD_ADDRESSES = 14

/** The API server allocates from a bitmap of that many bits. */
const MOST_SERVICE_BITS = 20

/** At most 2^16 nodes get a Pod subnet. */
const MOST_NODE_BITS = 16
const NODE_MASKS = { 4: 24, 6: 64 } as const

/** Releases from which two subnets need no feature gate. Source: kubeadm validation.go (v1.22, v1.23). */
const DUAL_STACK_STABLE = '1.23'

/** Releases from which Pod subnets are compared with node masks. Source: kubeadm validation.go (v1.19, v1.21; CHANGELOG-1.20). */
const NODE_MASK_CHECKED = '1.20'

/** All faults of `networking`. */
export function checkNetworking(cluster: ClusterConfiguration, kubeadm: Version): Finding[] {
  const { dnsDomain, serviceSubnet, podSubnet } = cluster.networking
  const domain = subdomainFault(dnsDomain)
  const services = checkSubnets('networking.serviceSubnet', serviceSubnet, LEAST_SERVICE_ADDRESSES, cluster, kubeadm)
  const pods = podSubnet
    ? checkSubnets('networking.podSubnet', podSubnet, LEAST_POD_ADDRESSES, cluster, kubeadm)
    : { subnets: [], findings: [] }
  return [
    ...(domain === undefined ? [] : [{ kind: KIND, field: 'networking.dnsDomain', value: dnsDomain, reason: domain }]),
    ...services.findings,
    ...services.subnets.flatMap(checkServiceSize),
    ...pods.findings,
    ...(isSince(kubeadm, NODE_MASK_CHECKED) ? checkNodeMasks(pods.subnets, cluster, kubeadm) : []),
  ]
}

/** Subnets of deprecated IPv6 site-local addresses. */
export function networkingNotices(cluster: ClusterConfiguration): string[] {
  const { serviceSubnet, podSubnet = '' } = cluster.networking
  return `${serviceSubnet},${podSubnet}`
    .split(',')
    .map(parseSubnet)
    .filter(subnet => subnet !== undefined && SITE_LOCAL !== undefined && overlap(subnet, SITE_LOCAL))
    .map(
      subnet =>
        `config: the subnet ${subnet && formatSubnet(subnet)} has site-local addresses (fec0::/10), which RFC 3879 deprecates`,
    )
}

const SITE_LOCAL = parseSubnet('fec0::/10')

function overlap(one: Subnet, other: Subnet): boolean {
  return containsAddress(one, other.address) || containsAddress(other, one.address)
}

function checkSubnets(
  field: string,
  text: string,
  least: number,
  cluster: ClusterConfiguration,
  kubeadm: Version,
): { subnets: readonly Subnet[]; findings: Finding[] } {
  const place = { kind: KIND, field }
  const subnets = text.split(',').map(parseSubnet)
  if (!subnets.every(subnet => subnet !== undefined)) {
    const reason = 'it is not a subnet; write it like "10.244.0.0/16", two of them with a comma and no blank between'
    return { subnets: [], findings: [{ ...place, value: text, reason }] }
  }
  const families = new Set(subnets.map(subnet => subnet.address.family))
  const findings: Finding[] = []
  if (subnets.length > 2 || families.size < subnets.length) {
    findings.push({
      ...place,
      value: text,
      reason: 'expected one subnet, or one IPv4 and one IPv6 subnet for dual-stack',
    })
  } else if (subnets.length === 2 && !hasDualStack(cluster, kubeadm)) {
    findings.push({
      ...place,
      value: text,
      reason: 'two subnets need the feature gate IPv6DualStack in this release; set it',
    })
  }
  for (const subnet of subnets) {
    const size = rangeSize(subnet)
    if (size >= BigInt(least)) continue
    const reason = `subnet with ${size} address(es) is too small, the minimum is ${least}; choose a larger one`
    findings.push({ ...place, value: formatSubnet(subnet), reason })
  }
  return { subnets, findings }
}

function hasDualStack({ featureGates }: ClusterConfiguration, kubeadm: Version): boolean {
  return isSince(kubeadm, DUAL_STACK_STABLE) || isFeatureEnabled('IPv6DualStack', featureGates, kubeadm)
}

// kubeadm counts a subnet of half the address space or all of it as empty.
function rangeSize(subnet: Subnet): bigint {
  return subnet.prefix <= 1 ? 0n : subnetSize(subnet)
}

function checkServiceSize(subnet: Subnet): Finding[] {
  const bits = BITS[subnet.address.family]
  if (bits - subnet.prefix <= MOST_SERVICE_BITS) return []
  const reason = `the service subnet is too large; for ${bits}-bit addresses, the mask must be >= ${bits - MOST_SERVICE_BITS}`
  return [{ kind: KIND, field: 'networking.serviceSubnet', value: formatSubnet(subnet), reason }]
}

function checkNodeMasks(subnets: readonly Subnet[], cluster: ClusterConfiguration, kubeadm: Version): Finding[] {
  const { extraArgs } = cluster.controllerManager
  if (extraArgument(extraArgs, 'allocate-node-cidrs') === 'false') return []
  return subnets.flatMap(subnet => {
    const { family } = subnet.address
    const argument = hasDualStack(cluster, kubeadm) ? `node-cidr-mask-size-ipv${family}` : 'node-cidr-mask-size'
    const given = extraArgument(extraArgs, argument) || `${NODE_MASKS[family]}`
    const reason = nodeMaskReason(subnet.prefix, given, argument)
    return reason === undefined
      ? []
      : [{ kind: KIND, field: 'networking.podSubnet', value: formatSubnet(subnet), reason }]
  })
}

function nodeMaskReason(prefix: number, given: string, argument: string): string | undefined {
  const mask = Number(given)
  if (!/^[-+]?\d+$/.test(given)) {
    return `the controller manager's ${argument} ${JSON.stringify(given)} is not an integer; correct it in controllerManager.extraArgs`
  }
  if (prefix > mask) {
    return `the size of pod subnet with mask ${prefix} is smaller than the size of node subnet with mask ${mask}; choose a larger one, or set ${argument} in controllerManager.extraArgs`
  }
  if (mask - prefix > MOST_NODE_BITS) {
    return `pod subnet mask (${prefix}) and node-mask (${mask}) difference is greater than ${MOST_NODE_BITS}; choose a smaller subnet, or set ${argument} in controllerManager.extraArgs`
  }
  return undefined
}
