/** A list of nodes in a file of our own: `nodes:`, with role, name, labels, taints, version, ports and folders of each. */
import { parseAddress } from '../../base/address.ts'
import { ConfigError } from '../../base/errors.ts'
import type { Json } from '../../base/json.ts'
import { parseVersion } from '../../base/version.ts'
import { type Path, parseDocuments } from '../../base/yaml.ts'
import {
  type Complain,
  complaints,
  type FolderSpec,
  fieldsOf,
  itemsOf,
  labelsOf,
  type NodeSpec,
  nameOf,
  type PortSpec,
  portOf,
  protocolOf,
  roleOf,
  taintsOf,
} from './node-spec.ts'
import { checkNodes, ONE_VERSION } from './whole-list.ts'

export interface NodeList {
  readonly nodes: readonly NodeSpec[]
  /** What control planes say of their version, where they do: it is that of the cluster. */
  readonly version?: string
}

const FIELDS: readonly string[] = ['role', 'name', 'labels', 'taints', 'version', 'ports', 'folders']

/** Reads it. Throws a ConfigError with all faults. */
export function readNodeList(text: string, file: string): NodeList {
  const [document, ...others] = parseDocuments(text, file)
  if (document === undefined)
    throw new ConfigError([{ file, field: '', reason: 'it is empty; write nodes: and a list' }])
  const { faults, complain } = complaints(document, file)
  if (others.length > 0) complain([], 'it has several documents; keep the one with nodes:')
  const { value } = document
  const isList = Array.isArray(value)
  const list = isList ? value : fieldsOf(value, ['nodes'], [], complain).nodes
  const path: Path = isList ? [] : ['nodes']
  const items = itemsOf(list, path, complain)
  const versions = new Set<string>()
  const nodes = items.map((item, index): NodeSpec => {
    const place = [...path, index]
    const fields = fieldsOf(item, FIELDS, place, complain)
    const role = roleOf(fields.role, [...place, 'role'], complain)
    const version = versionOf(fields.version, document.scalarAt([...place, 'version']), [...place, 'version'], complain)
    if (version !== undefined && role === 'control-plane') {
      versions.add(version)
      if (versions.size > 1) complain([...place, 'version'], ONE_VERSION, version)
    }
    const name = nameOf(fields.name, [...place, 'name'], complain)
    const taints = taintsOf(fields.taints, [...place, 'taints'], complain)
    return {
      role,
      ...(name !== undefined && { name }),
      labels: labelsOf(fields.labels, [...place, 'labels'], complain),
      ...(taints !== undefined && { taints }),
      ...(version !== undefined && role === 'worker' && { version }),
      ports: portsOf(fields.ports, [...place, 'ports'], complain),
      folders: foldersOf(fields.folders, [...place, 'folders'], complain),
    }
  })
  const ordered = checkNodes(nodes, path, complain)
  const all = [...document.faults, ...faults]
  if (all.length > 0) throw new ConfigError(all)
  const [version] = versions
  return { nodes: ordered, ...(version !== undefined && { version }) }
}

function versionOf(
  value: Json | undefined,
  scalar: string | undefined,
  path: Path,
  complain: Complain,
): string | undefined {
  if (value === undefined || value === null) return undefined
  const written = scalar ?? String(value)
  if (parseVersion(written) !== undefined) return `v${written.replace(/^v/, '')}`
  complain(path, 'it is no version; write it like v1.36.2', written)
  return undefined
}

/** `PORT:NODEPORT`, with an address of this machine before it or not, and a protocol behind it or not. */
function portsOf(value: Json | undefined, path: Path, complain: Complain): PortSpec[] {
  return itemsOf(value, path, complain).flatMap((item, index): PortSpec[] => {
    const [, address, host, node, named] =
      /^(?:(\[.+\]|[\d.]+):)?(\d+):(\d+)(?:\/([A-Za-z]+))?$/.exec(String(item)) ?? []
    const [hostPort, nodePort] = [portOf(host), portOf(node)]
    const plain = address?.replace(/^\[|\]$/g, '')
    const isGood = hostPort !== undefined && nodePort !== undefined
    if (isGood && (plain === undefined || parseAddress(plain) !== undefined)) {
      const protocol = protocolOf(named, [...path, index], complain)
      return [
        {
          ...(plain !== undefined && { address: plain }),
          ...(protocol === 'UDP' && { protocol }),
          hostPort,
          nodePort,
        },
      ]
    }
    complain([...path, index], 'it is no pair of ports; write "8080:80", "127.0.0.1:8080:80", or "8053:53/udp"', item)
    return []
  })
}

/** `/FROM:/TO`, with `:ro` behind it or not. */
function foldersOf(value: Json | undefined, path: Path, complain: Complain): FolderSpec[] {
  return itemsOf(value, path, complain).flatMap((item, index): FolderSpec[] => {
    const [, from, to, mode] = /^(\/[^:]*):(\/[^:]*)(?::(ro|rw))?$/.exec(String(item)) ?? []
    if (from !== undefined && to !== undefined) return [{ from, to, readOnly: mode === 'ro' }]
    complain([...path, index], 'it is no pair of whole paths; write "/here:/there", or "/here:/there:ro"', item)
    return []
  })
}
