/** Which further nodes a machine is to have: roles, names, places. Pure. */

import { joinHostPort } from '../../base/address.ts'
import { DEFAULT_POD_SUBNET } from '../../base/defaults.ts'
import { UsageError } from '../../base/errors.ts'
import { isObject } from '../../base/json.ts'
import type { InitConfig, NodeRole } from '../../base/kubeadm.ts'
import type { Flags } from '../../cli/options.ts'
import { controlPlaneUrl } from '../../kubeadm/config/control-plane-url.ts'
import type { NodeSpec } from '../../kubeadm/node-list/node-spec.ts'
import { MOST_NODES } from '../../kubeadm/node-list/whole-list.ts'
import type { PortForward } from '../agent/port-forwards.ts'

export interface PlannedNode extends NodeSpec {
  readonly name: string
  /** From 2 on: this machine itself is the first. */
  readonly index: number
}

/** A name of a machine has so many characters at most. Source: RFC 1123. */
const LONGEST_NAME = 63

/** What the scheduler spreads by. */
export const ZONE = 'topology.kubernetes.io/zone'

/** Zones as clouds have them: three, and nodes in turn. */
const ZONES: readonly string[] = ['zone-a', 'zone-b', 'zone-c']

/** The zone of a node, by its index from 1 on. */
export function zoneOf(index: number): string {
  return ZONES[(index - 1) % ZONES.length] ?? ''
}

export type NodeFlags = Pick<Flags, 'control-planes' | 'nodes' | 'workers'>

/** How many nodes of each role there are, the first among them. Throws a UsageError where the numbers contradict. */
export function nodeCounts(flags: NodeFlags): Readonly<Record<NodeRole, number>> {
  const controlPlanes = Number(flags['control-planes'] ?? 1)
  const nodes = flags.nodes === undefined ? undefined : Number(flags.nodes)
  const workers = flags.workers === undefined ? Math.max(0, (nodes ?? 0) - controlPlanes) : Number(flags.workers)
  if (controlPlanes + workers > MOST_NODES)
    throw new UsageError(`init: cannot have ${controlPlanes + workers} nodes: a machine takes ${MOST_NODES} at most`)
  if (nodes === undefined || nodes === controlPlanes + workers)
    return { 'control-plane': controlPlanes, worker: workers }
  const parts = [
    ...(flags['control-planes'] === undefined ? [] : [`${controlPlanes} control planes`]),
    ...(flags.workers === undefined ? [] : [`${workers} workers`]),
  ]
  throw new UsageError(
    `init: cannot have ${nodes} nodes with ${parts.join(' and ')}: that makes ${controlPlanes + workers}; leave one of --nodes, --control-planes and --workers out`,
  )
}

/** How many nodes there are besides the first. Throws the same. */
export function furtherNodes(flags: NodeFlags): number {
  const { 'control-plane': controlPlanes, worker } = nodeCounts(flags)
  return controlPlanes + worker - 1
}

/** Nodes of which nothing but their number is said, the first among them. Throws the same. */
export function countedNodes(flags: NodeFlags): NodeSpec[] {
  const { 'control-plane': controlPlanes, worker } = nodeCounts(flags)
  const nodes = (count: number, role: NodeRole): NodeSpec[] =>
    Array.from({ length: count }, () => ({ role, labels: {}, ports: [], folders: [] }))
  return [...nodes(controlPlanes, 'control-plane'), ...nodes(worker, 'worker')]
}

/** The nodes besides the first; those without a name are called as kind calls them: NAME-control-plane2, NAME-worker, ... */
export function plannedNodes([, ...specs]: readonly NodeSpec[], first: string): PlannedNode[] {
  const seen: Record<NodeRole, number> = { 'control-plane': 1, worker: 0 }
  return specs.map((spec, position) => {
    const { role, name, labels } = spec
    seen[role] += 1
    const suffix = `${role}${seen[role] === 1 ? '' : seen[role]}`
    const index = position + 2
    return { ...spec, name: name ?? nodeName(first, suffix), index, labels: { [ZONE]: zoneOf(index), ...labels } }
  })
}

function nodeName(first: string, suffix: string): string {
  return `${first.slice(0, LONGEST_NAME - suffix.length - 1)}-${suffix}`
}

/**
 * The configuration of a cluster whose nodes share a machine. Pods of each have addresses of their own; the table of
 * connections is one for all, and kube-proxy ends where it may not set its size: in a network of its own it may not.
 * Throws a UsageError for an endpoint that several control planes cannot have.
 * Source: kube-proxy conntrack/sysctls.go (v1.36).
 */
export function forNodes(plain: InitConfig, nodes: readonly NodeSpec[]): InitConfig {
  const config = asFirst(plain, nodes)
  if (nodes.length <= 1) return config
  const { podSubnet = DEFAULT_POD_SUBNET } = config.cluster.networking
  const { conntrack } = config.kubeProxy.document
  const given = isObject(conntrack) ? conntrack : {}
  const endpoint =
    nodes.filter(({ role }) => role === 'control-plane').length > 1 ? balancedEndpoint(config) : undefined
  return {
    ...config,
    ...(endpoint !== undefined && { balancerPort: portOf(endpoint) }),
    cluster: {
      ...config.cluster,
      ...(endpoint !== undefined && { controlPlaneEndpoint: endpoint }),
      networking: { ...config.cluster.networking, podSubnet },
    },
    kubeProxy: {
      ...config.kubeProxy,
      document: { ...config.kubeProxy.document, conntrack: { ...given, maxPerCore: given.maxPerCore ?? 0 } },
    },
  }
}

/** The same with what a list says of the first node, which is this machine, and with ports that lead to nodes. */
function asFirst(config: InitConfig, nodes: readonly NodeSpec[]): InitConfig {
  const [first] = nodes
  const ports = nodes.flatMap(node => node.ports.filter(port => node !== first || port.hostPort !== port.nodePort))
  const streams = ports.filter(({ protocol }) => protocol === undefined)
  if (first?.name === undefined && first?.taints === undefined && streams.length === 0) return config
  const nodeRegistration = {
    ...config.init.nodeRegistration,
    ...(first?.name !== undefined && { name: first.name }),
    ...(first?.taints !== undefined && { taints: first.taints }),
  }
  return {
    ...config,
    init: { ...config.init, nodeRegistration },
    ...(streams.length > 0 && { nodePorts: streams.map(({ hostPort }) => hostPort) }),
  }
}

/** Ports of this machine that lead to nodes; `addressOf` knows the address of each by its index from 1 on. */
export function portForwardsOf(
  nodes: readonly NodeSpec[],
  addressOf: (index: number) => string | undefined,
): PortForward[] {
  return nodes.flatMap(({ ports }, position) =>
    ports.flatMap(({ address, protocol, hostPort, nodePort }): PortForward[] => {
      const host = addressOf(position + 1)
      // Ports of the machine are those of its first node.
      if (host === undefined || (position === 0 && hostPort === nodePort)) return []
      const how = { ...(address !== undefined && { address }), ...(protocol !== undefined && { protocol }) }
      return [{ ...how, port: hostPort, to: { host, port: nodePort } }]
    }),
  )
}

/** Where several control planes are reached: at this machine, beside the port of its own API server. */
function balancedEndpoint(config: InitConfig): string {
  const { advertiseAddress, bindPort } = config.init.localAPIEndpoint
  const beside = bindPort === 65_535 ? bindPort - 1 : bindPort + 1
  const given = config.cluster.controlPlaneEndpoint
  if (given === undefined || given === '') return joinHostPort(advertiseAddress, beside)
  const endpoint = controlPlaneUrl(config).slice('https://'.length)
  if (portOf(endpoint) !== bindPort) return endpoint
  throw new UsageError(
    `init: cannot have several control planes behind "${given}": port ${bindPort} is that of the first one alone; use another, as in --control-plane-endpoint ${endpoint.replace(/\d+$/, String(beside))}`,
  )
}

function portOf(endpoint: string): number {
  return Number(/\d+$/.exec(endpoint)?.[0])
}
