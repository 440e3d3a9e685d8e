/**
 * The addresses that the kubelet gives its node. Left alone it asks a name server for its own name, and waits for one
 * that does not answer: five seconds each time, more than a minute in all until the node is ready.
 */
import { isGlobalUnicast, parseAddress, parseSubnet } from '../../base/address.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { isSince } from '../../base/version.ts'
import { argumentValue } from '../../kubeadm/manifests/command-line.ts'
import type { HostFacts } from '../../machine/host/facts.ts'
import { addressesOf } from '../../machine/host/hosts-file.ts'

/** What of the machine decides about it. */
export interface NodeNetwork {
  /** Addresses of its interfaces. */
  readonly addresses: readonly string[]
  readonly defaultAddress: HostFacts['defaultAddress']
  /** The text of /etc/hosts. */
  readonly hostsFile: string
}

export interface NodeAddress {
  /** For the kubelet's flag --node-ip. */
  readonly value: string
  readonly why: string
}

/** For docs, where the adaptations stand in a table. */
export const NODE_ADDRESS_ROW = {
  field: '--node-ip',
  value: 'the address that the API server announces',
  why: 'the name of the node is not in /etc/hosts, or the cluster has two families of addresses',
} as const

/** Two addresses at once. Source: kubernetes CHANGELOG-1.20 (k/k PR 95239); the gate is on since 1.21. */
const PAIR_SINCE = '1.21'

/**
 * What to tell the kubelet; undefined where the user has told it, where it needs no telling, and where this machine
 * has no address to tell. Source: kubelet nodestatus/setters.go NodeAddress, validateNodeIP (v1.36).
 */
export function nodeAddress(config: InitConfig, network: NodeNetwork): NodeAddress | undefined {
  const { localAPIEndpoint, nodeRegistration } = config.init
  const { kubeletExtraArgs, name: registered } = nodeRegistration
  const told = (flag: string): string | undefined => argumentValue(kubeletExtraArgs, flag)
  const name = told('hostname-override') ?? registered
  // A cloud's controller has the last word about addresses.
  if (told('node-ip') !== undefined || told('cloud-provider') === 'external' || parseAddress(name)) return undefined
  const isKnown = addressesOf(network.hostsFile, name).length > 0
  const advertised = parseAddress(localAPIEndpoint.advertiseAddress)
  if (advertised === undefined) return undefined
  const { ipv4, ipv6 } = network.defaultAddress
  const [own, other] = advertised.family === 6 ? [ipv6, ipv4] : [ipv4, ipv6]
  // The address of a balancer, or behind a translation, is none of the node's.
  const first = isOwn(localAPIEndpoint.advertiseAddress, network) ? localAPIEndpoint.advertiseAddress : own
  if (first === undefined) return undefined
  const second = hasTwoFamilies(config) && isSince(config.version, PAIR_SINCE) ? other : undefined
  if (second !== undefined) {
    return { value: `${first},${second}`, why: 'the cluster has two families of addresses, and so has the node' }
  }
  return isKnown
    ? undefined
    : {
        value: first,
        why: `"${name}" is not in /etc/hosts, and the kubelet would wait for a name server that may not answer`,
      }
}

function isOwn(text: string, { addresses }: NodeNetwork): boolean {
  const wanted = parseAddress(text)
  return (
    wanted !== undefined &&
    isGlobalUnicast(wanted) &&
    addresses.some(other => {
      const address = parseAddress(other)
      return address?.family === wanted.family && address.value === wanted.value
    })
  )
}

function hasTwoFamilies({ cluster }: InitConfig): boolean {
  const { podSubnet, serviceSubnet } = cluster.networking
  return [podSubnet ?? '', serviceSubnet].some(text => {
    const families = text.split(',').map(part => parseSubnet(part.trim())?.address.family)
    return families.includes(4) && families.includes(6)
  })
}
