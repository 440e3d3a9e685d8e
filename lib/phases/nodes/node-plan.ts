/** Which further nodes a machine is to have: roles, names, places. Pure. */

import { DEFAULT_POD_SUBNET } from '../../base/defaults.ts'
import { UsageError } from '../../base/errors.ts'
import { isObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import type { Flags } from '../../cli/options.ts'

export interface PlannedNode {
  readonly name: string
  readonly role: 'worker'
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

export type NodeFlags = Pick<Flags, 'nodes' | 'workers'>

/** How many nodes there are besides the first. Throws a UsageError where two numbers contradict. */
export function furtherNodes({ nodes, workers }: NodeFlags): number {
  if (nodes !== undefined && workers !== undefined && Number(nodes) !== Number(workers) + 1) {
    throw new UsageError(
      `init: cannot have ${nodes} nodes with ${workers} workers: one node more is the control plane; leave one of --nodes and --workers out`,
    )
  }
  return workers === undefined ? Number(nodes ?? 1) - 1 : Number(workers)
}

/** The workers besides the first node, as kind names them: NAME-worker, NAME-worker2. */
export function plannedNodes(flags: NodeFlags, first: string): PlannedNode[] {
  return Array.from({ length: furtherNodes(flags) }, (_none, position) => {
    const index = position + 2
    const suffix = `worker${position === 0 ? '' : position + 1}`
    return { name: nodeName(first, suffix), role: 'worker', index, labels: { [ZONE]: zoneOf(index) } }
  })
}

function nodeName(first: string, suffix: string): string {
  return `${first.slice(0, LONGEST_NAME - suffix.length - 1)}-${suffix}`
}

/**
 * The configuration of a cluster whose nodes share a machine. Pods of each have addresses of their own; the table of
 * connections is one for all, and kube-proxy ends where it may not set its size: in a network of its own it may not.
 * Source: kube-proxy conntrack/sysctls.go (v1.36).
 */
export function forNodes(config: InitConfig, flags: NodeFlags): InitConfig {
  if (furtherNodes(flags) === 0) return config
  const { podSubnet = DEFAULT_POD_SUBNET } = config.cluster.networking
  const { conntrack } = config.kubeProxy.document
  const given = isObject(conntrack) ? conntrack : {}
  return {
    ...config,
    cluster: { ...config.cluster, networking: { ...config.cluster.networking, podSubnet } },
    kubeProxy: {
      ...config.kubeProxy,
      document: { ...config.kubeProxy.document, conntrack: { ...given, maxPerCore: given.maxPerCore ?? 0 } },
    },
  }
}
