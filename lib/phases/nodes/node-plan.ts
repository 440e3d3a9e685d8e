/** Which further nodes a machine is to have: roles, names, places. Pure. */

import { joinHostPort } from '../../base/address.ts'
import { DEFAULT_POD_SUBNET } from '../../base/defaults.ts'
import { UsageError } from '../../base/errors.ts'
import { isObject } from '../../base/json.ts'
import type { InitConfig, NodeRole } from '../../base/kubeadm.ts'
import type { Flags } from '../../cli/options.ts'
import { controlPlaneUrl } from '../../kubeadm/config/control-plane-url.ts'

export interface PlannedNode {
  readonly name: string
  readonly role: NodeRole
  /** From 2 on: this machine itself is the first. */
  readonly index: number
  readonly labels: Readonly<Record<string, string>>
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

/** The nodes besides the first, as kind names them: NAME-control-plane2, NAME-worker, NAME-worker2. */
export function plannedNodes(flags: NodeFlags, first: string): PlannedNode[] {
  const { 'control-plane': controlPlanes, worker } = nodeCounts(flags)
  const roles = [
    ...Array.from({ length: controlPlanes - 1 }, (_none, index) => ['control-plane', index + 2] as const),
    ...Array.from({ length: worker }, (_none, index) => ['worker', index + 1] as const),
  ]
  return roles.map(([role, number], position) => ({
    name: nodeName(first, `${role}${number === 1 ? '' : number}`),
    role,
    index: position + 2,
    labels: { [ZONE]: zoneOf(position + 2) },
  }))
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
export function forNodes(config: InitConfig, flags: NodeFlags): InitConfig {
  if (furtherNodes(flags) === 0) return config
  const { podSubnet = DEFAULT_POD_SUBNET } = config.cluster.networking
  const { conntrack } = config.kubeProxy.document
  const given = isObject(conntrack) ? conntrack : {}
  const endpoint = nodeCounts(flags)['control-plane'] > 1 ? balancedEndpoint(config) : undefined
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
