/** Where a node of this machine has its network and its files: the machine's own node, and each further one. */
import { existsSync } from 'node:fs'
import { LAYOUT } from '../../base/paths.ts'
import { localNodes, nodeFolder, pidOf, runOfNode, stateOfNode } from './local-node.ts'

export interface NodePlace {
  readonly node: string
  /** Where this machine has a file of the node's that lies below LAYOUT.state or /run. */
  readonly at: (path: string) => string
  /** Words before a command that runs in its network; absent while the node does not run. */
  readonly enter?: readonly string[]
}

/** Those of all nodes of this machine; the first is its own. */
export function nodePlaces(own: string): NodePlace[] {
  return [
    { node: own, at: path => path, enter: [] },
    ...localNodes().map((local): NodePlace => {
      const pid = pidOf(local)
      return {
        node: local.name,
        at: path => (path.startsWith(`${LAYOUT.state}/`) ? stateOfNode(local.name, path) : runOfNode(local.name, path)),
        ...(pid !== undefined && { enter: ['nsenter', '--target', String(pid), '--net'] }),
      }
    }),
  ]
}

/** Folders in which something changes when a further node comes, starts, stops or goes. */
export function nodeFolders(): string[] {
  if (!existsSync(LAYOUT.nodes)) return []
  return [LAYOUT.nodes, ...localNodes().map(({ name }) => nodeFolder(name))]
}
