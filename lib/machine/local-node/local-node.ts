/**
 * A further node on this machine: a world of its own (network, mounts, host name, processes) with its own files in the
 * places where every node has them. What is known of it stands in a file, so that it can be found again.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { NodeRole } from '../../base/kubeadm.ts'
import { KUBERNETES, LAYOUT, NODE } from '../../base/paths.ts'
import { listFolder, readTextOrEmpty, writeFiles } from '../files.ts'
import { startTime } from '../host/start-time.ts'
import type { RuleSettings } from '../network/firewall-rules.ts'

export interface LocalNode {
  readonly name: string
  readonly role: NodeRole
  /** From 2 on, since this machine itself is the first; addresses and the name of its link follow from it. */
  readonly index: number
  readonly addresses: readonly string[]
  /** Firewall rules in its network, which begins empty whenever it starts. */
  readonly rules: readonly RuleSettings[]
  /** Its machine has put its programs into their places. */
  readonly hasPrograms?: true
  /** Folders of this machine that it has elsewhere, too. */
  readonly mounts?: readonly LocalMount[]
  /** Its first process and when that began; absent when it does not run. */
  readonly process?: { readonly pid: number; readonly started: string }
}

export interface LocalMount {
  readonly from: string
  readonly to: string
  readonly readOnly?: boolean
}

/** Where a node has its own: a folder of its state, and the place that it is bound over. The last one hides the others. */
export const NODE_FOLDERS: readonly (readonly [name: string, place: string])[] = [
  ['etc-kubernetes', KUBERNETES.folder],
  ['kubelet', KUBERNETES.kubelet],
  ['etcd', KUBERNETES.etcd],
  ['cni', NODE.cniState],
  ['cni-conf', NODE.cniConf],
  ['log-pods', NODE.podLogs],
  ['log-containers', NODE.containerLogs],
  ['log', LAYOUT.logs],
  ['kubestep', LAYOUT.state],
]

export function nodeFolder(name: string): string {
  return join(LAYOUT.nodes, name)
}

/** The folder that is /run in a node. */
export function nodeRunFolder(name: string): string {
  return join(LAYOUT.nodesRun, name)
}

/** Where this machine has what a node has at a path; undefined for what both have in common. */
export function placeOfNode(
  { name, mounts = [] }: Pick<LocalNode, 'name' | 'mounts'>,
  path: string,
): string | undefined {
  const own = NODE_FOLDERS.map(([folder, place]) => ({ from: join(nodeFolder(name), folder), to: place }))
  const found = [...own, ...mounts].find(({ to }) => path === to || path.startsWith(`${to}/`))
  return found === undefined ? undefined : join(found.from, path.slice(found.to.length))
}

/** Where this machine has a file that a node has at a path below LAYOUT.state. */
export function stateOfNode(name: string, path: string): string {
  return join(nodeFolder(name), 'kubestep', path.slice(LAYOUT.state.length))
}

/** Where this machine has a file that a node has at a path below /run. */
export function runOfNode(name: string, path: string): string {
  return join(nodeRunFolder(name), path.slice('/run'.length))
}

/** Its end of the cable on this machine's side; such names have 15 characters at most. */
export function linkOf({ index }: Pick<LocalNode, 'index'>): string {
  return `kubestep-n${index}`
}

const recordFile = (name: string): string => join(nodeFolder(name), 'node.json')

export function writeLocalNode(node: LocalNode): void {
  writeFiles('/', [{ path: recordFile(node.name), mode: 0o600, content: `${JSON.stringify(node, null, 2)}\n` }])
}

/** All of this machine, in their order. */
export function localNodes(): LocalNode[] {
  return (listFolder('/', LAYOUT.nodes) ?? [])
    .map(name => readTextOrEmpty(recordFile(name)))
    .filter(text => text !== '')
    .map(text => JSON.parse(text) as LocalNode)
    .sort((a, b) => a.index - b.index)
}

/** The first process of a node that runs: pids are used again, start times are not. */
export function pidOf({ process }: LocalNode): number | undefined {
  return process !== undefined && startTime(process.pid) === process.started ? process.pid : undefined
}

/** Whether this is the world of such a node: who runs here then is not alone on the machine. */
export function isLocalNode(): boolean {
  return existsSync(LAYOUT.localNode)
}

/** Which one, in its world. */
export function thisLocalNode(): LocalNode | undefined {
  const text = readTextOrEmpty(LAYOUT.localNode)
  return text === '' ? undefined : (JSON.parse(text) as LocalNode)
}

/** A program in its place, where the machine of such a node has put it there; undefined elsewhere. */
export function givenProgram(path: string): string | undefined {
  return thisLocalNode()?.hasPrograms && existsSync(path) ? path : undefined
}
