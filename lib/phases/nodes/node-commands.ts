/** What can be done with a further node of this machine, while the cluster goes on: failures to try, and its end. */
import { rmSync } from 'node:fs'
import { basename } from 'node:path'
import { KubestepError, UsageError } from '../../base/errors.ts'
import { KUBERNETES, LAYOUT } from '../../base/paths.ts'
import { parse } from '../../base/yaml.ts'
import { scriptCommand } from '../../cli/invocation.ts'
import type { Call } from '../../cli/script.ts'
import { openApi, refusal } from '../../cluster/api/api-client.ts'
import { readCredentials } from '../../cluster/api/kubeconfig-credentials.ts'
import { patientApi } from '../../cluster/api/patient-api.ts'
import { podArgument } from '../../kubeadm/manifests/written-pod.ts'
import { $ } from '../../machine/command.ts'
import { listFolder, readFile } from '../../machine/files.ts'
import { freezeGroups, isFrozen, removeGroups } from '../../machine/local-node/local-groups.ts'
import {
  type LocalNode,
  localNodes,
  nodeFolder,
  nodeRunFolder,
  pidOf,
  thisLocalNode,
  writeLocalNode,
} from '../../machine/local-node/local-node.ts'
import { connect, hasCable, makeBridge, readNodeRanges, setCable } from '../../machine/local-node/node-network.ts'
import { inWorld, openWorld } from '../../machine/local-node/world.ts'
import { applyRules } from '../../machine/network/firewall-chains.ts'
import { serviceManager } from '../../machine/service/manager.ts'
import { setSysctls } from '../run/kernel-settings.ts'
import { removeEtcdMember } from './etcd-member.ts'

export type NodeState = 'running' | 'stopped' | 'frozen' | 'partitioned'

export function stateOf(node: LocalNode): NodeState {
  if (pidOf(node) === undefined) return 'stopped'
  if (isFrozen(node.name)) return 'frozen'
  return hasCable(node) ? 'running' : 'partitioned'
}

/** The node of that name. Throws a UsageError that names those that there are. */
export function findNode(name: string | undefined): LocalNode {
  const all = localNodes()
  const found = all.find(node => node.name === name)
  if (found !== undefined) return found
  const names = all.map(node => node.name)
  throw new UsageError(
    names.length === 0
      ? 'node: cannot find further nodes: there are none on this machine; bring some up with init --nodes 3'
      : `node: cannot find node "${name ?? ''}": this machine has ${names.join(', ')}, besides itself`,
  )
}

/** Ends all that runs in a node at once, as when its plug is pulled. Throws a KubestepError when something stays. */
export async function stopNode(node: LocalNode): Promise<void> {
  const left = await removeGroups(node.name)
  if (left.length > 0) {
    throw new KubestepError(`node: cannot stop node "${node.name}": something in ${left.join(', ')} does not end`)
  }
  const { process: _process, ...stopped } = node
  writeLocalNode(stopped)
}

/** Undoes whatever was done to it: a node that is stopped, frozen or cut off runs again. Throws a KubestepError. */
export async function startNode(node: LocalNode): Promise<void> {
  const state = stateOf(node)
  if (state === 'frozen') freezeGroups(node.name, false)
  if (state !== 'stopped') return setCable(node, true)
  // What its first process has left behind, when that was killed.
  await stopNode(node)
  const running = await openWorld(node)
  writeLocalNode(running)
  const ranges = readNodeRanges() ?? []
  // It goes when the machine boots.
  await makeBridge(ranges, ownAddress())
  await connect(running, ranges)
  const command = inWorld(running, [...scriptCommand('node'), 'start', node.name])
  await $({ what: `node: cannot start the services of node "${node.name}"` })`${command}`
}

/** What this machine's API server announces: nodes see the machine by it. */
function ownAddress(): string {
  const manifest = readFile('/', `${KUBERNETES.manifests}/kube-apiserver.yaml`)
  return (manifest === undefined ? undefined : podArgument(parse(manifest), 'advertise-address')) ?? ''
}

/** The same in its world: its network is new, and its services are as they were. Gives whether this is one. */
export async function startHere(): Promise<boolean> {
  const node = thisLocalNode()
  if (node === undefined) return false
  const subnets = (key: 'podSubnet' | 'serviceSubnet'): string => node.rules.map(rule => rule[key]).join(',')
  setSysctls({ podSubnet: subnets('podSubnet'), serviceSubnet: subnets('serviceSubnet') })
  for (const rule of node.rules) await applyRules(rule)
  const services = serviceManager()
  const names = (listFolder('/', LAYOUT.services) ?? []).filter(name => name.endsWith('.json'))
  // The runtime comes before the kubelet.
  for (const name of names.sort().reverse()) await services.restart(basename(name, '.json'))
  return true
}

export function freezeNode(node: LocalNode): void {
  if (pidOf(node) === undefined) throw new KubestepError(`node: cannot freeze node "${node.name}": it does not run`)
  freezeGroups(node.name, true)
}

export async function cutNode(node: LocalNode): Promise<void> {
  await setCable(node, false)
}

/** Ends a node for good: the cluster forgets it, and nothing of it stays here. Throws a KubestepError. */
export async function deleteNode(node: LocalNode, { output }: Pick<Call, 'output'>): Promise<void> {
  if (node.role === 'control-plane') await removeEtcdMember(node)
  await stopNode(node)
  await forgetNode(node.name).catch((error: unknown) => {
    output.warn(`node: cannot take node "${node.name}" out of the cluster: ${String(error)}; use kubectl delete node`)
  })
  for (const folder of [nodeFolder(node.name), nodeRunFolder(node.name)])
    rmSync(folder, { recursive: true, force: true })
}

/** The API server that is asked may have gone with the node, and etcd may choose another leader. */
const FORGET_MS = 60_000

async function forgetNode(name: string): Promise<void> {
  const text = readFile('/', KUBERNETES.adminConf)
  if (text === undefined) throw new KubestepError(`there is no "${KUBERNETES.adminConf}"`)
  const api = openApi(readCredentials(text, KUBERNETES.adminConf, path => readFile('/', path)))
  try {
    const path = `/api/v1/nodes/${name}`
    const answer = await patientApi(api, AbortSignal.timeout(FORGET_MS)).send('DELETE', path)
    if (answer.status >= 300 && answer.status !== 404) throw refusal('DELETE', path, answer)
  } finally {
    api.close()
  }
}
