/** The network between nodes of one machine: a bridge, at which each of them hangs by a cable of its own. */
import { formatAddress, nthAddress, parseAddress, parseSubnet, type Subnet } from '../../base/address.ts'
import { KubestepError } from '../../base/errors.ts'
import { LAYOUT } from '../../base/paths.ts'
import { $ } from '../command.ts'
import { readTextOrEmpty, writeFiles } from '../files.ts'
import { presentLinks } from '../host/network-links.ts'
import { overlap } from '../host/routes.ts'
import { type LocalNode, linkOf, pidOf } from './local-node.ts'

export const NODE_BRIDGE = 'kubestep0'

/**
 * One that is given: a bridge takes the lowest of its ports otherwise, another one whenever a node comes or goes, and for
 * up to a minute nodes send to the one before. Source: Linux net/bridge/br_stp_if.c.
 */
const BRIDGE_MAC = '02:6b:73:74:65:70'

/** Tried one after the other: the first that nobody uses is taken. Source: ranges for private use, RFC 1918. */
const CANDIDATES: readonly string[] = [
  ...[241, 242, 243, 244].map(part => `10.${part}.241.0/24`),
  ...[29, 28, 27].map(part => `172.${part}.241.0/24`),
  '192.168.241.0/24',
]

/** For clusters with IPv6; a unique local range of its own. Source: RFC 4193. */
const RANGE6 = 'fd6b:7573:7465:7002::/64'

/** A range for nodes that meets none of those in use. Throws a KubestepError when all do. */
export function nodeRange(used: readonly Subnet[]): string {
  const free = CANDIDATES.find(text => {
    const range = parseSubnet(text)
    return range !== undefined && used.every(other => !overlap(range, other))
  })
  if (free !== undefined) return free
  throw new KubestepError(
    `node: cannot find a range of addresses for nodes: ${CANDIDATES.join(', ')} are all in use on this machine; free one of them`,
  )
}

/** The ranges of nodes, one for each family that the cluster has. */
export function nodeRanges(used: readonly Subnet[], hasIpv6: boolean): string[] {
  return [nodeRange(used), ...(hasIpv6 ? [RANGE6] : [])]
}

const RANGES_FILE = `${LAYOUT.nodes}/ranges.json`

/** The ranges of nodes on this machine; undefined when it has no further ones. */
export function readNodeRanges(): string[] | undefined {
  const text = readTextOrEmpty(RANGES_FILE)
  return text === '' ? undefined : (JSON.parse(text) as string[])
}

export function writeNodeRanges(ranges: readonly string[]): void {
  writeFiles('/', [{ path: RANGES_FILE, mode: 0o600, content: `${JSON.stringify(ranges)}\n` }])
}

/** The addresses of a node; this machine's own are those of the first. */
export function nodeAddresses(ranges: readonly string[], index: number): string[] {
  return ranges.flatMap(text => {
    const range = parseSubnet(text)
    const address = range === undefined ? undefined : nthAddress(range, index)
    return address === undefined ? [] : [formatAddress(address)]
  })
}

/**
 * Makes the bridge, where it is not there. Nodes see this machine by the address that it has in the cluster (`own`):
 * etcd asks each peer's certificate for where it comes from.
 */
export async function makeBridge(ranges: readonly string[], own: string): Promise<void> {
  if (!presentLinks().includes(NODE_BRIDGE)) {
    await $({ what: 'node: cannot make a bridge' })`ip link add ${NODE_BRIDGE} address ${BRIDGE_MAC} type bridge`
  }
  for (const [index, address] of nodeAddresses(ranges, 1).entries()) {
    const flags = address.includes(':') ? ['nodad'] : []
    await $`ip address replace ${address}/${prefixOf(ranges[index])} dev ${NODE_BRIDGE} ${flags}`
  }
  await $`ip link set ${NODE_BRIDGE} up`
  const family = parseAddress(own)?.family
  const range = ranges.find(text => parseSubnet(text)?.address.family === family)
  if (family === undefined || range === undefined) return
  // The kernel's own route to a range of IPv6 has that metric, and two of them would be one too many.
  const metric = family === 6 ? ['metric', '256'] : []
  await $`ip -${family} route replace ${range} dev ${NODE_BRIDGE} ${metric} src ${own}`
}

/** Connects a node that runs. */
export async function connect(node: LocalNode, ranges: readonly string[]): Promise<void> {
  const link = linkOf(node)
  const pid = pidOf(node)
  if (pid === undefined) throw new KubestepError(`node: cannot connect node "${node.name}": it does not run`)
  await $({ nothrow: true })`ip link delete ${link}`
  await $({
    what: `node: cannot connect node "${node.name}"`,
  })`ip link add ${link} type veth peer name eth0 netns ${pid}`
  await $`ip link set ${link} master ${NODE_BRIDGE} up`
  const inside = ['nsenter', '--target', String(pid), '--net', 'ip']
  for (const [index, address] of node.addresses.entries()) {
    const flags = address.includes(':') ? ['nodad'] : []
    await $`${inside} address add ${address}/${prefixOf(ranges[index])} dev eth0 ${flags}`
  }
  await $`${inside} link set eth0 up`
  for (const gateway of nodeAddresses(ranges, 1)) {
    await $`${inside} ${gateway.includes(':') ? '-6' : '-4'} route replace default via ${gateway}`
  }
}

/** Takes bridge and cables away; gives what stays. */
export async function removeNodeLinks(): Promise<string[]> {
  const ours = (): string[] => presentLinks().filter(name => name === NODE_BRIDGE || /^kubestep-n\d+$/.test(name))
  for (const name of ours()) await $({ nothrow: true })`ip link delete ${name}`
  return ours()
}

/** Pulls the cable of a node, or puts it back. */
export async function setCable(node: LocalNode, isConnected: boolean): Promise<void> {
  await $({
    what: `node: cannot reach the link of node "${node.name}"`,
  })`ip link set ${linkOf(node)} ${isConnected ? 'up' : 'down'}`
}

const IFF_UP = 1

/** Whether the cable is in. */
export function hasCable(node: LocalNode): boolean {
  return (Number(readTextOrEmpty(`/sys/class/net/${linkOf(node)}/flags`)) & IFF_UP) !== 0
}

function prefixOf(range = ''): string {
  return range.split('/')[1] ?? ''
}
