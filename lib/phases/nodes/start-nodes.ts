/** Brings up the further nodes of a cluster on this machine: a world for each, and the same join as on any machine. */
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseSubnet, type Subnet } from '../../base/address.ts'
import { KubestepError } from '../../base/errors.ts'
import { isObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { LAYOUT } from '../../base/paths.ts'
import { parseToken } from '../../base/token.ts'
import { scriptCommand } from '../../cli/invocation.ts'
import type { Call } from '../../cli/script.ts'
import type { Api } from '../../cluster/api/api-client.ts'
import { patchObject } from '../../cluster/api/apply-object.ts'
import { conditionOf } from '../../cluster/api/condition.ts'
import { signatureKey } from '../../kubeadm/credentials/cluster-info-signature.ts'
import { $ } from '../../machine/command.ts'
import { writeFiles } from '../../machine/files.ts'
import { readSysctl, writeSysctl } from '../../machine/host/sysctl.ts'
import type { Change, Journal } from '../../machine/journal.ts'
import { NODE_FOLDERS, nodeFolder, stateOfNode, writeLocalNode } from '../../machine/local-node/local-node.ts'
import {
  connect,
  makeBridge,
  nodeAddresses,
  nodeRanges,
  writeNodeRanges,
} from '../../machine/local-node/node-network.ts'
import { inWorld, openWorld } from '../../machine/local-node/world.ts'
import { ruleSettings } from '../run/kernel-settings.ts'
import { missingFolders } from '../run/record-changes.ts'
import { addLearners } from './etcd-learners.ts'
import { mountPointChanges } from './given-folders.ts'
import { prepareJoin, withOwnFolders } from './node-join.ts'
import { type PlannedNode, ZONE, zoneOf } from './node-plan.ts'

/** What many kubelets, runtimes and proxies take together. Source: kind, "Pod errors due to too many open files". */
const WATCH_LIMITS: readonly (readonly [key: string, least: number])[] = [
  ['fs.inotify.max_user_instances', 8192],
  ['fs.inotify.max_user_watches', 524_288],
]

/** Addresses of nodes and the bridge between them; everything is in the journal first. */
export async function prepareForNodes(
  { cluster, init }: InitConfig,
  planned: readonly PlannedNode[],
  journal: Journal,
): Promise<readonly string[]> {
  const { podSubnet = '', serviceSubnet } = cluster.networking
  const own = Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ cidr }) => cidr ?? ''))
  const used = [...`${podSubnet},${serviceSubnet}`.split(','), ...own].flatMap((text): Subnet[] => {
    const subnet = parseSubnet(text.trim())
    return subnet === undefined ? [] : [subnet]
  })
  const ranges = nodeRanges(used, podSubnet.includes(':'))
  const limits = WATCH_LIMITS.filter(([key, least]) => Number(readSysctl(key)) < least)
  journal.record(
    ...NODE_FOLDERS.flatMap(([, place]) => missingFolders(place)),
    ...planned.flatMap(({ folders }) => folders.flatMap(mountPointChanges)),
    ...limits.map(([key]): Change => ({ kind: 'sysctl', key, before: readSysctl(key) ?? '' })),
    { kind: 'nodes', path: LAYOUT.nodes },
  )
  for (const [key, least] of limits) writeSysctl(key, String(least))
  writeNodeRanges(ranges)
  await makeBridge(ranges, init.localAPIEndpoint.advertiseAddress)
  return ranges
}

/** The address of a node, by its index from 1 on. */
export function addressOfNode({ init }: InitConfig, ranges: readonly string[], index: number): string | undefined {
  return index === 1 ? init.localAPIEndpoint.advertiseAddress : nodeAddresses(ranges, index)[0]
}

export interface NodeStart {
  readonly config: InitConfig
  readonly call: Pick<Call, 'flags' | 'output'>
  readonly ranges: readonly string[]
  /** Labels of the first node, besides its zone. */
  readonly first: PlannedNode['labels']
  /** Puts a node's programs where it will have them. */
  readonly givePrograms: (node: PlannedNode) => Promise<void>
  /** Gives the world of a node its images, where there are any; gives whether it did. */
  readonly giveImages: (root: string) => Promise<boolean>
  /** When there are some to give. */
  readonly imagesKept: Promise<unknown>
  readonly api: Api
  readonly deadline: AbortSignal
}

export interface StartingNodes {
  /** From now on they can join. */
  readonly admit: () => void
  /** When all are ready. */
  readonly ready: Promise<void>
}

/** Makes the worlds of nodes at once, and has them join when they are admitted. */
export function startNodes(planned: readonly PlannedNode[], start: NodeStart): StartingNodes {
  let admit = (): void => {}
  const joinable = new Promise<void>(resolve => {
    admit = resolve
  })
  if (planned.length === 0) return { admit, ready: Promise.resolve() }
  const planes = planned.filter(({ role }) => role === 'control-plane')
  const welcome = joinable.then(() =>
    addLearners(
      start.config,
      planes.flatMap(({ index }) => nodeAddresses(start.ranges, index).slice(0, 1)),
    ),
  )
  const ready = Promise.all([
    joinable.then(() =>
      labelNode(start, start.config.init.nodeRegistration.name, { [ZONE]: zoneOf(1), ...start.first }),
    ),
    ...planned.map(node => startNode(node, node.role === 'control-plane' ? welcome : joinable, start)),
  ]).then(() => {})
  ready.catch(() => {})
  return { admit, ready }
}

/** Starts a node and has it join. Throws a KubestepError with what the join said. */
async function startNode(planned: PlannedNode, joinable: Promise<void>, start: NodeStart): Promise<void> {
  const { config, call, ranges, api, deadline } = start
  const { name, role, index, labels, folders } = planned
  const rules = ruleSettings(config).map(({ nodes: _nodes, ...rule }) => ({ ...rule, others: [rule.podSubnet] }))
  const node = withOwnFolders(config, {
    ...{ name, role, index, addresses: nodeAddresses(ranges, index), rules, hasPrograms: true as const },
    ...(folders.length > 0 && { mounts: folders }),
  })
  writeLocalNode(node)
  await start.givePrograms(planned)
  await start.imagesKept
  await start.giveImages(stateOfNode(name, LAYOUT.containerd.root))
  const running = await openWorld(node)
  writeLocalNode(running)
  await connect(running, ranges)
  await joinable
  await waitForSignature(start)
  const command = inWorld(running, [...scriptCommand('join'), ...prepareJoin(config, node, call.flags, planned)])
  const { exitCode, stdout, stderr } = await $({ nothrow: true })`${command}`
  writeFiles('/', [{ path: join(nodeFolder(name), 'log', 'join.log'), mode: 0o600, content: `${stdout}${stderr}` }])
  if (exitCode !== 0) {
    throw new KubestepError(`node: cannot have node "${name}" join: ${stderr.trim().split('\n').slice(-5).join('\n')}`)
  }
  await labelNode(start, name, labels)
  await waitForReady(api, name, deadline)
  call.output.say(`[nodes] ${name} is ready`)
}

async function labelNode({ api, deadline }: NodeStart, name: string, labels: PlannedNode['labels']): Promise<void> {
  await patchObject(api, `/api/v1/nodes/${name}`, { metadata: { labels: { ...labels } } }, deadline)
}

const POLL_MS = 100

/** A join trusts the cluster by it; the controller manager signs when it leads, which may be later than the API answers. */
async function waitForSignature({ api, config, deadline }: NodeStart): Promise<void> {
  const token = parseToken(config.init.bootstrapTokens[0]?.token ?? '')
  if (token === undefined) return
  for (;;) {
    const { data } = (await api.get('/api/v1/namespaces/kube-public/configmaps/cluster-info')) ?? {}
    if (isObject(data) && data[signatureKey(token.id)] !== undefined) return
    if (deadline.aborted) {
      throw new KubestepError(
        'node: cannot have nodes join: the controller manager has not signed cluster-info in time',
      )
    }
    await sleep(POLL_MS)
  }
}

async function waitForReady(api: Api, name: string, deadline: AbortSignal): Promise<void> {
  for (;;) {
    const ready = conditionOf(await api.get(`/api/v1/nodes/${name}`), 'Ready')
    if (ready?.status === 'True') return
    if (deadline.aborted) {
      const reason = ready !== undefined ? String(ready.message) : 'its kubelet has not registered'
      throw new KubestepError(`node: cannot get node "${name}" ready in time: ${reason}`)
    }
    await sleep(POLL_MS)
  }
}
