/**
 * Firewall rules of our own, in chains of our own. They let Pods through where Docker or a firewall set FORWARD
 * to DROP, let them reach the API server and the kubelet where ufw or the like closes this machine, and keep Pod and Service addresses from leaving by the uplink: a Service address that kube-proxy has
 * not programmed yet would follow the default route, and somebody else might answer.
 */
import { LAYOUT } from '../../base/paths.ts'
import { NETWORK } from './cni.ts'

export interface RuleSettings {
  readonly family: 4 | 6
  readonly podSubnet: string
  readonly serviceSubnet: string
  /** TCP ports of this machine that Pods have to reach. */
  readonly ports: readonly number[]
  /** Ranges of Pods on other nodes to which there is a route. */
  readonly others?: readonly string[]
  /** Addresses of further nodes on this machine, and the bridge that they hang at. */
  readonly nodes?: { readonly subnet: string; readonly bridge: string }
}

export interface RuleChain {
  readonly table: 'filter' | 'nat'
  readonly chain: string
  /** Where it is entered from. */
  readonly from: string
}

/** Our chains. */
export const CHAINS: readonly RuleChain[] = [
  { table: 'filter', chain: 'KUBESTEP-INPUT', from: 'INPUT' },
  { table: 'filter', chain: 'KUBESTEP-FORWARD', from: 'FORWARD' },
  { table: 'filter', chain: 'KUBESTEP-OUTPUT', from: 'OUTPUT' },
  { table: 'nat', chain: 'KUBESTEP-POSTROUTING', from: 'POSTROUTING' },
]

/** Groups of receivers, whose packets keep their sender. */
const MULTICAST: Readonly<Record<4 | 6, string>> = { 4: '224.0.0.0/4', 6: 'ff00::/8' }

/** What goes into each chain, in order: arguments of iptables after `-A CHAIN`. */
export function chainRules(settings: RuleSettings): Readonly<Record<string, readonly string[]>> {
  const { family, podSubnet, serviceSubnet, ports, others = [], nodes } = settings
  // What kube-proxy knows has its destination rewritten before the filter table sees it.
  const service = `-d ${serviceSubnet} ! -o lo -j REJECT`
  const pod = `-d ${podSubnet} ! -o ${LAYOUT.cni.bridge}`
  const ofNodes = (rules: (nodes: NonNullable<RuleSettings['nodes']>) => readonly string[]): readonly string[] =>
    nodes === undefined ? [] : rules(nodes)
  const toOthers = others.map(subnet => `-d ${subnet} -j ACCEPT`)
  const fromPods = `-s ${podSubnet} -i ${LAYOUT.cni.bridge}`
  return {
    'KUBESTEP-INPUT': [
      ...ofNodes(({ bridge }) => [`-i ${bridge} -j ACCEPT`]),
      `${fromPods} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
      ...ports.map(port => `${fromPods} -p tcp --dport ${port} -j ACCEPT`),
    ],
    'KUBESTEP-FORWARD': [
      service,
      ...toOthers,
      `${pod} -j REJECT`,
      `-s ${podSubnet} -j ACCEPT`,
      `-d ${podSubnet} -j ACCEPT`,
      ...ofNodes(({ bridge }) => [`-i ${bridge} -j ACCEPT`, `-o ${bridge} -j ACCEPT`]),
    ],
    // A packet of this machine that was rewritten still bears the interface of its first destination here.
    'KUBESTEP-OUTPUT': [
      service,
      ...toOthers,
      `${pod} -m conntrack ! --ctstate DNAT -j REJECT`,
      // Probes, webhooks: a firewall may let nothing out that it does not know.
      `-d ${podSubnet} -o ${LAYOUT.cni.bridge} -j ACCEPT`,
      ...ofNodes(({ bridge }) => [`-o ${bridge} -j ACCEPT`]),
    ],
    // Pods see one another's addresses; others see this machine's, since they would not know the way back.
    'KUBESTEP-POSTROUTING': [
      `-s ${podSubnet} -d ${podSubnet} -j RETURN`,
      `-s ${podSubnet} -d ${MULTICAST[family]} -j RETURN`,
      `-s ${podSubnet} -j MASQUERADE`,
      ...ofNodes(({ subnet }) => [
        ...[podSubnet, subnet].map(near => `-s ${subnet} -d ${near} -j RETURN`),
        `-s ${subnet} -j MASQUERADE`,
      ]),
    ],
  }
}

/**
 * Input of `iptables-restore --noflush` that makes our chains hold these rules, whatever they held before.
 * The entries into them are not in it: those have to be looked for first.
 */
export function restoreText(settings: RuleSettings): string {
  const rules = chainRules(settings)
  const tables = [...new Set(CHAINS.map(({ table }) => table))]
  return tables
    .flatMap(table => {
      const chains = CHAINS.filter(row => row.table === table).map(({ chain }) => chain)
      return [
        `*${table}`,
        ...chains.map(chain => `:${chain} - [0:0]`),
        ...chains.flatMap(chain =>
          (rules[chain] ?? []).map(rule => `-A ${chain} ${rule} -m comment --comment kubestep`),
        ),
        'COMMIT',
      ]
    })
    .concat('')
    .join('\n')
}

/** Name of the tool for a family: `iptables`, `ip6tables`, with a suffix such as `-save`. */
export function iptables(family: 4 | 6, suffix: '' | '-save' | '-restore' = ''): string {
  return `${family === 4 ? 'iptables' : 'ip6tables'}${suffix}`
}

/** Chains named in the output of iptables-save, as `table chain`. */
export function savedChains(saved: string): string[] {
  let table = ''
  const chains: string[] = []
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1)
    if (line.startsWith(':')) chains.push(`${table} ${line.slice(1).split(' ')[0]}`)
  }
  return chains
}

/** Chains that only a cluster makes: the kubelet's and kube-proxy's, and ours. */
const CLUSTER_CHAIN = /^(KUBE-|KUBESTEP-)/

/** A container's chain of CNI's bridge and portmap plugins, which other tools use too: its rules tell whose it is. */
const CNI_CHAIN = /^CNI-(DN-|SN-)?[0-9a-f]{16,}$/

/** What the chains of the portmap plugin's published ports hang on. Source: plugins portmap_iptables.go. */
const CNI_PORTS = /^CNI-HOSTPORT-(DNAT|SNAT|SETMARK|MASQ)$/

/** Source: plugins pkg/utils/utils.go FormatComment, portmap_iptables.go. */
const CNI_COMMENT = /name: \\?"([^"\\]*)\\?" id: \\?"([^"\\]*)\\?"/

/**
 * Chains of a cluster in the output of iptables-save, as `table chain`, but those in `kept`, which were there before. Of
 * CNI's those of our network, and of these containers in whatever network; what they hang on when nobody else does.
 */
export function clusterChains(saved: string, kept: readonly string[], containers: readonly string[] = []): string[] {
  const fresh = savedChains(saved).filter(chain => !kept.includes(chain))
  const named = (pattern: RegExp): string[] => fresh.filter(chain => pattern.test(chain.split(' ')[1] ?? ''))
  const entries = rulesOf(saved).map(rule => ({ ...rule, isOurs: isOurNetwork(rule.text, containers) }))
  const ours = named(CNI_CHAIN).filter(chain =>
    entries.some(({ from, to, isOurs }) => isOurs && (from === chain || to === chain)),
  )
  const isShared = entries.some(
    ({ from, to }) => from === 'nat CNI-HOSTPORT-DNAT' && CNI_CHAIN.test(to.split(' ')[1] ?? '') && !ours.includes(to),
  )
  return [...named(CLUSTER_CHAIN), ...ours, ...(isShared ? [] : named(CNI_PORTS))]
}

function isOurNetwork(rule: string, containers: readonly string[]): boolean {
  const [, network, container] = CNI_COMMENT.exec(rule) ?? []
  return network === NETWORK || containers.includes(container ?? '')
}

/** Rules with the chains that they stand in and lead to, as `table chain`. */
function rulesOf(saved: string): { readonly text: string; readonly from: string; readonly to: string }[] {
  let table = ''
  return saved.split('\n').flatMap(text => {
    if (text.startsWith('*')) table = text.slice(1)
    if (!text.startsWith('-A ')) return []
    return [{ text, from: `${table} ${text.split(' ')[1]}`, to: `${table} ${targetOf(text)}` }]
  })
}

function targetOf(rule: string): string {
  const words = rule.split(' ')
  return words[words.findLastIndex(word => word === '-j' || word === '-g') + 1] ?? ''
}

/**
 * Input of `iptables-restore --noflush` that takes away the cluster's chains, as clusterChains names them, and every
 * rule that enters them. Undefined when there is nothing to do.
 */
export function removalText(
  saved: string,
  kept: readonly string[],
  containers: readonly string[] = [],
): string | undefined {
  const gone = new Set(clusterChains(saved, kept, containers))
  if (gone.size === 0) return undefined
  const lines: string[] = []
  let table = ''
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) {
      table = line.slice(1)
      lines.push(line)
    } else if (line === 'COMMIT') {
      // A chain has to be empty and unreferenced before it can go.
      for (const name of gone) if (name.startsWith(`${table} `)) lines.push(`-X ${name.split(' ')[1]}`)
      lines.push(line)
    } else if (line.startsWith(':')) {
      const chain = line.slice(1).split(' ')[0]
      // Declaring a chain empties it.
      if (gone.has(`${table} ${chain}`)) lines.push(`:${chain} - [0:0]`)
    } else if (line.startsWith('-A ')) {
      const inGone = gone.has(`${table} ${line.split(' ')[1]}`)
      if (!inGone && gone.has(`${table} ${targetOf(line)}`)) lines.push(`-D ${line.slice(3)}`)
    }
  }
  return `${lines.join('\n')}\n`
}
