/** What has to hold among the nodes of a list. */
import { posix } from 'node:path'
import { KUBERNETES, LAYOUT } from '../../base/paths.ts'
import type { Path } from '../../base/yaml.ts'
import type { Complain, FolderSpec, NodeSpec } from './node-spec.ts'

/** A bridge and a range of addresses take no more. */
export const MOST_NODES = 100

/** What to say of control planes that differ: an API server is no newer or older than the cluster. */
export const ONE_VERSION = 'all control planes have one version, that of the cluster; workers may have older ones'

/** What a node needs of its own there. */
const OWN: readonly string[] = [
  '/',
  '/proc',
  '/sys',
  '/dev',
  '/run',
  '/etc',
  KUBERNETES.folder,
  KUBERNETES.kubelet,
  LAYOUT.state,
]

/** The list with the first control plane, which is this machine itself, at its beginning, and control planes before workers. */
export function checkNodes(nodes: readonly NodeSpec[], path: Path, complain: Complain): NodeSpec[] {
  const first = nodes.find(({ role }) => role === 'control-plane')
  if (first === undefined) complain(path, 'there is no control plane among them; one of them has to be it')
  if (nodes.length > MOST_NODES)
    complain(path, `there are ${nodes.length} nodes; a machine takes ${MOST_NODES} at most`)
  const names = new Set<string>()
  const taken = new Set<string>()
  for (const [index, node] of nodes.entries()) {
    const { name, ports, folders } = node
    if (name !== undefined && names.has(name))
      complain([...path, index, 'name'], 'another node has that name; choose one', name)
    if (name !== undefined) names.add(name)
    for (const { address = '', hostPort, protocol = 'TCP' } of ports) {
      const isTaken = taken.has(`${protocol} ${address} ${hostPort}`) || taken.has(`${protocol}  ${hostPort}`)
      if (isTaken) complain([...path, index], 'another node has that port of the machine; choose one', String(hostPort))
      taken.add(`${protocol} ${address} ${hostPort}`)
    }
    for (const folder of folders) {
      const reason = folderFault(folder, node === first)
      if (reason !== undefined) complain([...path, index], reason, folder.to)
    }
  }
  const rest = nodes.filter(node => node !== first)
  const further = (['control-plane', 'worker'] as const).flatMap(role => rest.filter(node => node.role === role))
  return [...(first === undefined ? [] : [first]), ...further]
}

function folderFault({ from, to }: FolderSpec, isFirst: boolean): string | undefined {
  if (posix.normalize(to) !== to || posix.normalize(from) !== from)
    return 'a path with "." or ".." in it, or with "/" at its end, is none; write it plainly'
  if (isFirst && from !== to)
    return `the first node is the machine itself, where "${from}" is at its place; leave it out, or give it the same path`
  const own = OWN.find(place => to === place || (place.length > 5 && to.startsWith(`${place}/`)))
  return own === undefined ? undefined : `a node has its own there; choose a place outside of "${own}"`
}
