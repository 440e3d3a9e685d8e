/** What each Pod may, from all policies, Pods and Namespaces that there are. Pure. */
import { containsAddress, parseAddress, parseSubnet } from '../../base/address.ts'
import type { Allowance, PodRules, PortRange } from '../../machine/network/policy-table.ts'
import { selects } from './label-selector.ts'
import type { Policy, PolicyNamespace, PolicyPod, PolicyPort, PolicyRule } from './policy.ts'

export interface PolicyState {
  readonly policies: readonly Policy[]
  readonly pods: readonly PolicyPod[]
  readonly namespaces: readonly PolicyNamespace[]
}

/**
 * The rules of every Pod that has an address. What several policies allow adds up; a direction that none of those that
 * select a Pod speaks of is open. Source: networking/v1 types.go, NetworkPolicySpec (v1.36).
 */
export function podRules({ policies, pods, namespaces }: PolicyState): PodRules[] {
  const reachable = pods.filter(({ addresses }) => addresses.length > 0)
  const of = new Map(namespaces.map(({ name, labels }) => [name, labels]))
  const peersOf = (policy: Policy, rule: PolicyRule): readonly PolicyPod[] =>
    reachable.filter(pod =>
      rule.pods?.some(
        peer =>
          selects(peer.pods, pod.labels) &&
          (peer.namespaces === undefined
            ? pod.namespace === policy.namespace
            : selects(peer.namespaces, of.get(pod.namespace) ?? {})),
      ),
    )
  const peers = new Map(
    policies.flatMap(policy =>
      [...(policy.ingress ?? []), ...(policy.egress ?? [])].map(rule => [rule, peersOf(policy, rule)] as const),
    ),
  )
  // Many Pods have the same: it is there once, and so is what becomes of it.
  const shared = new Map<PolicyRule, Allowance>()
  const once = (rule: PolicyRule, make: () => Allowance): Allowance => {
    const known = shared.get(rule) ?? make()
    shared.set(rule, known)
    return known
  }
  return reachable.map(pod => {
    const own = policies.filter(
      ({ namespace, selector }) => namespace === pod.namespace && selects(selector, pod.labels),
    )
    const allowed = (direction: 'ingress' | 'egress'): readonly Allowance[] | undefined => {
      const speaking = own.filter(policy => policy[direction] !== undefined)
      if (speaking.length === 0) return undefined
      return speaking
        .flatMap(policy => policy[direction] ?? [])
        .map(rule => {
          const from = peers.get(rule) ?? []
          if (direction === 'egress') return once(rule, () => egressOf(rule, from, reachable))
          const make = (): Allowance => ingressOf(rule, from, pod)
          return rule.ports?.some(port => numbered(port) === undefined) ? make() : once(rule, make)
        })
    }
    const [ingress, egress] = [allowed('ingress'), allowed('egress')]
    return {
      addresses: pod.addresses,
      ...(ingress !== undefined && { ingress }),
      ...(egress !== undefined && { egress }),
    }
  })
}

/** Names of ports are those of the Pod itself. */
function ingressOf(rule: PolicyRule, peers: readonly PolicyPod[], pod: PolicyPod): Allowance {
  return {
    ...peersIn(rule, peers),
    ...(rule.ports !== undefined && { ports: rule.ports.flatMap(port => numbered(port) ?? named(port, pod)) }),
  }
}

/** Names of ports are those of whom it calls. */
function egressOf(rule: PolicyRule, peers: readonly PolicyPod[], all: readonly PolicyPod[]): Allowance {
  if (rule.ports === undefined) return peersIn(rule, peers)
  const names = rule.ports.filter(port => numbered(port) === undefined)
  const called =
    names.length === 0 ? [] : all.filter(pod => rule.pods === undefined || peers.includes(pod) || isIn(pod, rule))
  return {
    ...peersIn(rule, peers),
    ports: rule.ports.flatMap(port => numbered(port) ?? []),
    pairs: called.flatMap(pod =>
      names.flatMap(port => named(port, pod).flatMap(range => pod.addresses.map(address => ({ ...range, address })))),
    ),
  }
}

function peersIn(rule: PolicyRule, peers: readonly PolicyPod[]): Pick<Allowance, 'peers'> {
  if (rule.pods === undefined) return {}
  return { peers: { addresses: peers.flatMap(({ addresses }) => addresses), blocks: rule.blocks ?? [] } }
}

function isIn({ addresses }: PolicyPod, { blocks = [] }: PolicyRule): boolean {
  return blocks.some(({ subnet, except }) => {
    const within = (text: string, address: string): boolean => {
      const [range, one] = [parseSubnet(text), parseAddress(address)]
      return range !== undefined && one !== undefined && containsAddress(range, one)
    }
    return addresses.some(address => within(subnet, address) && !except.some(other => within(other, address)))
  })
}

/** Undefined for a name. */
function numbered({ protocol, port, last }: PolicyPort): PortRange[] | undefined {
  if (typeof port === 'string') return undefined
  return [{ protocol, first: port ?? 0, last: port === undefined ? 65_535 : (last ?? port) }]
}

function named({ protocol, port }: PolicyPort, { ports }: PolicyPod): PortRange[] {
  return ports
    .filter(({ name, protocol: own }) => name === port && own === protocol)
    .map(({ port: number }) => ({ protocol, first: number, last: number }))
}
