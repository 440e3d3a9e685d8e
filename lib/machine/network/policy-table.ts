/**
 * Who may talk with which Pod, as values, and the table of nftables that holds them. It looks at what this machine
 * forwards: after kube-proxy has put a Pod in the place of a Service, and before addresses of senders are rewritten.
 */
import { containsAddress, type Family, parseSubnet, type Subnet } from '../../base/address.ts'
import { LAYOUT } from '../../base/paths.ts'
import { $ } from '../command.ts'

export type Protocol = 'TCP' | 'UDP' | 'SCTP'

export interface PortRange {
  readonly protocol: Protocol
  readonly first: number
  readonly last: number
}

/** Addresses but some; addresses and subnets here are as formatAddress and formatSubnet write them. */
export interface AddressBlock {
  readonly subnet: string
  readonly except: readonly string[]
}

/** The other side of a connection: Pods by their addresses, and blocks. */
export interface Peers {
  readonly addresses: readonly string[]
  readonly blocks: readonly AddressBlock[]
}

/** One thing that is allowed: these ports with these peers; without either it is all of them. */
export interface Allowance {
  readonly peers?: Peers
  readonly ports?: readonly PortRange[]
  /** Ports that differ from Pod to Pod, as names of ports do. */
  readonly pairs?: readonly (PortRange & { readonly address: string })[]
}

/** What a Pod may; a direction without a list is open. */
export interface PodRules {
  readonly addresses: readonly string[]
  readonly ingress?: readonly Allowance[]
  readonly egress?: readonly Allowance[]
}

export interface PolicyTable {
  readonly pods: readonly PodRules[]
  /** Ranges of Pods: who is in them, on this node, and is no Pod that is known gets nothing through. */
  readonly podSubnets: readonly string[]
  /** Whether kube-proxy has IPVS send on what is for Services: it leaves as if this machine had sent it. */
  readonly ipvs?: boolean
}

/** Name of the table. */
export const POLICY_TABLE = 'kubestep-policy'

const FAMILIES: readonly Family[] = [4, 6]
const DIRECTIONS = ['egress', 'ingress'] as const
type Direction = (typeof DIRECTIONS)[number]

/**
 * Makes the table hold what policyText() gave and nothing else, in one step. `enter` comes before the command where it
 * is for another network than this machine's. Throws a CommandError.
 */
export async function setPolicyTable(input: string, enter: readonly string[] = []): Promise<void> {
  await $({ what: 'network: cannot set the rules of NetworkPolicies', input })`${[...enter, 'nft', '-f', '-']}`
}

/** Input of `nft -f`; that for undefined takes the table away. */
export function policyText(table: PolicyTable | undefined): string {
  // One that is not there cannot be deleted.
  const clear = [`table inet ${POLICY_TABLE}`, `delete table inet ${POLICY_TABLE}`]
  if (table === undefined) return [...clear, ''].join('\n')
  const chains = new Map<string, string>()
  const verdicts = FAMILIES.flatMap(family =>
    DIRECTIONS.map(direction => ({ family, direction, elements: verdictsOf(table, family, direction, chains) })),
  )
  const known = FAMILIES.map(family => ({
    family,
    addresses: unique(table.pods.flatMap(({ addresses }) => addresses.filter(isOf(family)))),
  }))
  const checks = (sender: string): string[] => [
    'ct state established,related accept',
    // Neighbours of IPv6 find each other.
    'icmpv6 type { 133, 134, 135, 136, 137 } accept',
    // A Pod always reaches itself, by a Service.
    ...FAMILIES.map(family => `${ip(family)} saddr . ${ip(family)} daddr @self${family} accept`),
    ...FAMILIES.flatMap(family => [
      `${ip(family)} saddr vmap @egress${family}`,
      `${ip(family)} daddr vmap @ingress${family}`,
    ]),
    ...table.podSubnets.flatMap(subnet => {
      const match = ip(subnet.includes(':') ? 6 : 4)
      const known = subnet.includes(':') ? 'known6' : 'known4'
      // Those of other nodes are known there first, and later here.
      return [
        `${sender}${match} saddr ${subnet} ${match} saddr != @${known} drop`,
        `oifname "${LAYOUT.cni.bridge}" ${match} daddr ${subnet} ${match} daddr != @${known} drop`,
      ]
    }),
  ]
  return [
    ...clear,
    `table inet ${POLICY_TABLE} {`,
    ...known.map(({ family, addresses }) => set(`known${family}`, `ipv${family}_addr`, addresses)),
    ...known.map(({ family, addresses }) =>
      set(
        `self${family}`,
        `ipv${family}_addr . ipv${family}_addr`,
        addresses.map(address => `${address} . ${address}`),
      ),
    ),
    ...verdicts.map(({ family, direction, elements }) => map(`${direction}${family}`, family, elements)),
    ...[...chains].map(([rules, name]) => ` chain ${name} {\n${rules} }`),
    ...hookChain('forward', checks(`iifname "${LAYOUT.cni.bridge}" `)),
    // What this machine itself sends has a socket here, and so a user; what IPVS sends on has none, and comes from nowhere.
    ...(table.ipvs ? hookChain('output', ['meta skuid >= 0 accept', ...checks('')]) : []),
    '}',
    '',
  ].join('\n')
}

/** `address : jump chain` for each Pod that is not open; Pods with the same rules share a chain, by its rules. */
function verdictsOf(
  { pods }: PolicyTable,
  family: Family,
  direction: Direction,
  chains: Map<string, string>,
): string[] {
  const numbers = new Map<Allowance, number>()
  const known = new Map<string, string>()
  const chainOf = (allowances: readonly Allowance[]): string => {
    for (const allowance of allowances) if (!numbers.has(allowance)) numbers.set(allowance, numbers.size)
    // A text for each Pod would be as long as all Pods are many.
    const key = allowances.map(allowance => numbers.get(allowance)).join()
    const found = known.get(key)
    if (found !== undefined) return found
    const rules = [...unique(allowances.flatMap(allowance => rulesOf(allowance, family, direction))), 'drop']
    const text = rules.map(rule => `  ${rule}\n`).join('')
    const name = chains.get(text) ?? `allowed${chains.size}`
    chains.set(text, name)
    known.set(key, name)
    return name
  }
  return pods.flatMap(({ addresses, [direction]: allowances }) => {
    const own = addresses.filter(isOf(family))
    if (allowances === undefined || own.length === 0) return []
    const name = chainOf(allowances)
    return own.map(address => `${address} : jump ${name}`)
  })
}

/** The rules that let through what an allowance allows; `return` goes on to the other direction. */
function rulesOf({ peers, ports, pairs = [] }: Allowance, family: Family, direction: Direction): string[] {
  const side = direction === 'ingress' ? 'saddr' : 'daddr'
  const from = peers === undefined ? [''] : peerMatches(peers, family, side)
  const single = portMatches(ports)
  return [
    ...from.flatMap(match => single.map(port => `${match}${port}return`)),
    ...pairs
      .filter(({ address }) => isOf(family)(address))
      .map(pair => `${ip(family)} ${side} ${pair.address} ${portMatches([pair])[0]}return`),
  ]
}

function peerMatches({ addresses, blocks }: Peers, family: Family, side: string): string[] {
  const own = unique(addresses.filter(isOf(family)))
  return [
    ...(own.length === 0 ? [] : [`${ip(family)} ${side} { ${own.join(', ')} } `]),
    ...blocks
      .filter(({ subnet }) => isOf(family)(subnet))
      .map(({ subnet, except }) => {
        const outside = widest(except.filter(isOf(family)))
        const but = outside.length === 0 ? '' : `${ip(family)} ${side} != { ${outside.join(', ')} } `
        return `${ip(family)} ${side} ${subnet} ${but}`
      }),
  ]
}

/** One match a protocol; '' where every port is meant. */
function portMatches(ports: readonly PortRange[] | undefined): string[] {
  if (ports === undefined) return ['']
  return unique(ports.map(({ protocol }) => protocol)).map(protocol => {
    const ranges = merged(ports.filter(port => port.protocol === protocol))
    const texts = ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
    return `${protocol.toLowerCase()} dport { ${texts.join(', ')} } `
  })
}

/** Ranges that share no port: nftables takes no others in one set. */
function merged(ranges: readonly PortRange[]): PortRange[] {
  const result: PortRange[] = []
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = result.at(-1)
    if (before === undefined || range.first > before.last) result.push(range)
    else result.splice(-1, 1, { ...before, last: Math.max(before.last, range.last) })
  }
  return result
}

/** Subnets that lie in none of the others. */
function widest(texts: readonly string[]): string[] {
  const subnets = unique(texts)
    .map(text => ({ text, subnet: parseSubnet(text) }))
    .filter((one): one is { text: string; subnet: Subnet } => one.subnet !== undefined)
    .toSorted((a, b) => a.subnet.prefix - b.subnet.prefix)
  return subnets
    .filter(
      ({ subnet }, index) => !subnets.slice(0, index).some(other => containsAddress(other.subnet, subnet.address)),
    )
    .map(({ text }) => text)
}

function hookChain(hook: 'forward' | 'output', rules: readonly string[]): string[] {
  return [
    ` chain ${hook} {`,
    `  type filter hook ${hook} priority -5; policy accept;`,
    ...rules.map(rule => `  ${rule}`),
    ' }',
  ]
}

function set(name: string, type: string, elements: readonly string[]): string {
  const own = elements.length === 0 ? '' : ` elements = { ${elements.join(', ')} };`
  return ` set ${name} { type ${type};${own} }`
}

function map(name: string, family: Family, elements: readonly string[]): string {
  const own = elements.length === 0 ? '' : ` elements = { ${elements.join(', ')} };`
  return ` map ${name} { type ipv${family}_addr : verdict;${own} }`
}

function isOf(family: Family): (text: string) => boolean {
  return text => text.includes(':') === (family === 6)
}

function ip(family: Family): 'ip' | 'ip6' {
  return family === 4 ? 'ip' : 'ip6'
}

function unique(texts: readonly string[]): string[]
function unique(texts: readonly Protocol[]): Protocol[]
function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)]
}
