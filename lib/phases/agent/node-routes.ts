/**
 * The Pod network of a cluster with several nodes: the addresses of this node's own Pods are those that the controller
 * manager gave it, and there is a route to those of each other node, as long as it is part of the cluster.
 */
import { parseAddress, parseSubnet } from '../../base/address.ts'
import { isObject, type JsonObject } from '../../base/json.ts'
import { LAYOUT } from '../../base/paths.ts'
import { follow } from '../../cluster/api/watch.ts'
import { readTextOrEmpty, writeFiles } from '../../machine/files.ts'
import { localNodes, stateOfNode } from '../../machine/local-node/local-node.ts'
import { cniConfig, NETWORK_FILES, type PodRange } from '../../machine/network/cni.ts'
import { applyRules } from '../../machine/network/firewall-chains.ts'
import type { RuleSettings } from '../../machine/network/firewall-rules.ts'
import { BRING_NETWORK, isNear, mtuOf, type PodRoute, setPodRoutes } from '../../machine/network/pod-routes.ts'
import type { AgentContext, AgentPart } from './agent-part.ts'

/** Where a node in a world of its own has that file. */
const LOCAL_FILE = `${LAYOUT.cni.conf}/${NETWORK_FILES[0]}`

/** What this part is set up with. */
export interface NodeRouteSettings {
  /** The file of the Pod network, where the runtime reads it. */
  readonly file: string
  /** Our firewall rules; ranges of other nodes come in as they are known. */
  readonly rules: readonly RuleSettings[]
}

/** What is wanted of a Node. */
export interface NodeRanges {
  readonly name: string
  readonly addresses: readonly string[]
  readonly ranges: readonly PodRange[]
}

export const nodeRoutes: AgentPart = {
  name: 'node-routes',
  run: async context => {
    const settings = context.settings as unknown as NodeRouteSettings
    const { open, say, signal } = context
    const lines = new Set<string>()
    // What stays as it is is said once.
    const once = (line: string): void => {
      if (lines.has(line)) return
      lines.add(line)
      say(line)
    }
    await follow(
      open,
      {
        collection: '/api/v1/nodes',
        keep: rangesOf,
        onState: nodes => settle(nodes, settings, { node: context.node, say: once }),
        onFault: once,
      },
      signal,
    )
  },
}

/** The addresses of a Node and of its Pods. */
export function rangesOf(node: JsonObject): NodeRanges {
  const [metadata, spec, status] = [node.metadata, node.spec, node.status].map(part => (isObject(part) ? part : {}))
  const list = Array.isArray(spec?.podCIDRs) ? spec.podCIDRs : [spec?.podCIDR]
  const addresses = Array.isArray(status?.addresses) ? status.addresses : []
  return {
    name: String(metadata?.name),
    addresses: addresses.flatMap(address =>
      isObject(address) && address.type === 'InternalIP' ? [String(address.address)] : [],
    ),
    ranges: list.flatMap(subnet => {
      const family = typeof subnet === 'string' ? parseSubnet(subnet)?.address.family : undefined
      return family === undefined ? [] : [{ subnet: String(subnet), family }]
    }),
  }
}

/** A route for each range of the other nodes that have an address of its family. */
export function wantedRoutes(nodes: readonly NodeRanges[], own: string): PodRoute[] {
  return nodes
    .filter(({ name }) => name !== own)
    .flatMap(({ addresses, ranges }) =>
      ranges.flatMap(({ subnet, family }) => {
        const via = addresses.find(address => parseAddress(address)?.family === family)
        return via === undefined ? [] : [{ family, subnet, via }]
      }),
    )
}

async function settle(
  nodes: readonly NodeRanges[],
  { file, rules }: NodeRouteSettings,
  { node, say }: Pick<AgentContext, 'node' | 'say'>,
): Promise<void> {
  for (const { name } of localNodes()) {
    const local = nodes.find(other => other.name === name)
    if (local !== undefined && local.ranges.length > 0) writeNetwork(local, stateOfNode(name, LOCAL_FILE))
  }
  const own = nodes.find(({ name }) => name === node)
  if (own !== undefined && own.ranges.length > 0) writeNetwork(own, file)
  else if (own !== undefined)
    say(`Node "${node}" has no Pod addresses yet; it gets some where the cluster has a podSubnet`)
  const wanted = wantedRoutes(nodes, node)
  const near = await Promise.all(wanted.map(({ via }) => isNear(via)))
  for (const { subnet, via } of wanted.filter((_route, index) => !near[index])) {
    say(`No route to Pods in ${subnet}: their node at ${via} is on another network; ${BRING_NETWORK}`)
  }
  const routes = wanted.filter((_route, index) => near[index])
  await setPodRoutes(routes)
  for (const settings of rules) {
    const others = routes.filter(({ family }) => family === settings.family).map(({ subnet }) => subnet)
    await applyRules({ ...settings, others })
  }
}

function writeNetwork({ ranges, addresses }: NodeRanges, file: string): void {
  const content = `${JSON.stringify(cniConfig(ranges, LAYOUT.cni.data, mtuOf(addresses[0] ?? '')), null, 2)}\n`
  if (readTextOrEmpty(file) !== content) writeFiles('/', [{ path: file, mode: 0o644, content }])
}
