/** What has to hold among the nodes of a list. */
import { posix } from 'node:path'
import { KUBERNETES, LAYOUT } from '../../base/paths.ts'
import type { Path } from '../../base/yaml.ts'
import type { Complain, FolderSpec, NodeSpec } from './node-spec.ts'

/** A bridge and a range of addresses take no more. */
export const MOST_NODES = 100

/** What to say of control planes that differ: an API server is no newer or older than the cluster. */
export const ONE_VERSION = 'all control planes have one version, that of the cluster; workers may have older ones'

/** What a node needs of its own there; there may be more in them, but for the last. */
const OWN: readonly string[] = [
  '/proc',
  '/sys',
  '/dev',
  '/run',
  '/var/run',
  '/etc',
  KUBERNETES.folder,
  KUBERNETES.certificates,
  KUBERNETES.manifests,
  KUBERNETES.kubelet,
  KUBERNETES.etcd,
  LAYOUT.state,
]

/** What fields of a node are called. */
export interface FieldNames {
  readonly ports: string
  readonly folders: string
}

/** The list with the first control plane, which is this machine itself, at its beginning, and control planes before workers. */
export function checkNodes(
  nodes: readonly NodeSpec[],
  path: Path,
  complain: Complain,
  names: FieldNames = { ports: 'ports', folders: 'folders' },
): NodeSpec[] {
  const first = nodes.find(({ role }) => role === 'control-plane')
  if (first === undefined) complain(path, 'there is no control plane among them; one of them has to be it')
  if (nodes.length > MOST_NODES)
    complain(path, `there are ${nodes.length} nodes; a machine takes ${MOST_NODES} at most`)
  const called = new Set<string>()
  const taken = new Set<string>()
  for (const [index, node] of nodes.entries()) {
    const { name, ports, folders } = node
    if (name !== undefined && called.has(name))
      complain([...path, index, 'name'], 'another node has that name; choose one', name)
    if (name !== undefined) called.add(name)
    for (const { address = '', hostPort, protocol = 'TCP' } of ports) {
      const isTaken = taken.has(`${protocol} ${address} ${hostPort}`) || taken.has(`${protocol}  ${hostPort}`)
      if (isTaken)
        complain(
          [...path, index, names.ports],
          'another node has that port of the machine; choose one',
          String(hostPort),
        )
      taken.add(`${protocol} ${address} ${hostPort}`)
    }
    for (const folder of folders) {
      const reason = folderFault(folder, node === first)
      if (reason !== undefined) complain([...path, index, names.folders], reason, folder.to)
    }
  }
  const rest = nodes.filter(node => node !== first)
  const further = (['control-plane', 'worker'] as const).flatMap(role => rest.filter(node => node.role === role))
  return [...(first === undefined ? [] : [first]), ...further]
}

function folderFault({ from, to, isShared }: FolderSpec, isFirst: boolean): string | undefined {
  if (posix.normalize(to) !== to || posix.normalize(from) !== from)
    return 'a path with "." or ".." in it, or with "/" at its end, is none; write it plainly'
  if (isShared && !isFirst)
    return 'what is mounted in a node is not seen on the machine, unless it is the first node; leave propagation out'
  // All see the machine's files, but for those places.
  if (from === to && !isInside(to, LAYOUT.state) && (isFirst || to === '/dev' || !OWN.includes(to))) return undefined
  const own = isInside(to, LAYOUT.state) ? LAYOUT.state : OWN.find(place => isInside(place, to))
  return own === undefined ? undefined : `a node has its own there; choose a place outside of "${own}"`
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? folder : `${folder}/`)
}
