/** Which nodes are asked for: by number, by a list in a file, or by kind's Cluster file with all that it says. */
import { resolve } from 'node:path'
import { UsageError } from '../../base/errors.ts'
import { isObject, type JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { parseVersion } from '../../base/version.ts'
import { parseAll } from '../../base/yaml.ts'
import type { Flags, OptionName } from '../../cli/options.ts'
import { FLAG_FIELDS, readFlags } from '../../kubeadm/config/flag-fields.ts'
import { readKindCluster } from '../../kubeadm/node-list/kind-cluster.ts'
import { documentsText, mergeDocuments, withLists } from '../../kubeadm/node-list/kubeadm-patches.ts'
import { readNodeList } from '../../kubeadm/node-list/node-list.ts'
import type { NodeSpec } from '../../kubeadm/node-list/node-spec.ts'
import { kubeletFault } from '../../kubeadm/upgrade/skew.ts'
import { refuseFolders } from '../nodes/given-folders.ts'
import { otherVersions } from '../nodes/node-kubelets.ts'
import { countedNodes } from '../nodes/node-plan.ts'
import { type OpenedPhase, readConfig, readConfigFile } from '../run/open-phase.ts'

export interface GivenNodes {
  /** All of them, this machine first. */
  readonly nodes: readonly NodeSpec[]
  /** The options with what the files say. */
  readonly flags: Flags
  /** The kubeadm configuration, as readConfig gives it. */
  readonly source: { readonly text?: string; readonly file?: string }
  /** Version that control planes of a list are to have. */
  readonly version?: string
}

/** A phase, and the nodes that its cluster has, this machine first. */
export type PhaseOfNodes = OpenedPhase & Pick<GivenNodes, 'nodes'>

/** Reads them. Throws a UsageError, or a ConfigError with all faults of a file. */
export function readGivenNodes(flags: Flags): GivenNodes {
  const isList = flags.nodes !== undefined && !/^\d+$/.test(flags.nodes)
  if (!isList && flags['kind-config'] === undefined) {
    return { nodes: countedNodes(flags), flags, source: readConfig(flags) }
  }
  const names = ['nodes', 'control-planes', 'workers', 'kind-config'] as const
  const given = names.filter(name => flags[name] !== undefined)
  if (given.length > 1) {
    throw new UsageError(
      `init: cannot take ${given.map(name => `--${name}`).join(' and ')} together: a file says it all; leave the others out`,
    )
  }
  return flags['kind-config'] === undefined ? listed(flags, flags.nodes ?? '') : ofKind(flags, flags['kind-config'])
}

function listed(flags: Flags, path: string): GivenNodes {
  const { text, file } = readConfigFile(path)
  const { nodes, version } = readNodeList(text, file)
  refuseFolders(nodes)
  return {
    nodes,
    flags: withCounts(flags, nodes),
    source: readConfig(flags),
    ...(version !== undefined && { version }),
  }
}

/** What the file says, under what options and a configuration beside it say. */
function ofKind(flags: Flags, path: string): GivenNodes {
  const { text, file } = readConfigFile(path)
  const kind = readKindCluster(text, file, relative => resolve(relative))
  refuseFolders(kind.nodes)
  const given = readConfig(flags)
  const inFile =
    given.text === undefined ? FLAG_FIELDS.filter(row => !row.besideConfig && flags[row.flag] !== undefined) : []
  const told = readFlags(Object.fromEntries(inFile.map(({ flag }) => [flag, flags[flag]]))).documents
  const documents = mergeDocuments([kind.documents, told as Record<string, JsonObject>, documentsOf(given.text)])
  const left = Object.fromEntries(
    Object.entries(flags).filter(([name]) => !inFile.some(({ flag }) => flag === (name as OptionName))),
  )
  const skipped = [flags['skip-phases'], kind.flags['skip-phases']].filter(Boolean).join(',')
  return {
    nodes: kind.nodes,
    flags: withCounts({ ...kind.flags, ...left, ...(skipped !== '' && { 'skip-phases': skipped }) }, kind.nodes),
    source: { text: documentsText(documents), file: `${file} and options, as a kubeadm configuration` },
  }
}

function documentsOf(text: string | undefined): Record<string, JsonObject> {
  const documents = text === undefined ? [] : parseAll(text).filter(isObject)
  return Object.fromEntries(
    documents.map(({ kind, apiVersion: _version, metadata: _metadata, ...fields }) => [
      String(kind),
      withLists(fields) as JsonObject,
    ]),
  )
}

/** Numbers for whoever only counts. */
function withCounts({ workers: _workers, ...flags }: Flags, nodes: readonly NodeSpec[]): Flags {
  const planes = nodes.filter(({ role }) => role === 'control-plane').length
  return { ...flags, nodes: String(nodes.length), 'control-planes': String(planes) }
}

/** Throws a UsageError that names the nodes whose version does not go with that of their cluster. */
export function refuseVersions(
  { nodes, version: wanted }: Pick<GivenNodes, 'nodes' | 'version'>,
  { cluster, version }: Pick<InitConfig, 'cluster' | 'version'>,
): void {
  const own = cluster.kubernetesVersion
  const head = (other: string): string => `init: cannot have nodes of ${other} in a cluster of ${own}`
  const faults = otherVersions(nodes, own).flatMap(other => {
    const kubelet = parseVersion(other)
    const reason = kubelet === undefined ? 'it is no version' : kubeletFault(version, kubelet)
    return reason === undefined ? [] : [`${head(other)}: ${reason}; give them another version, or leave it out`]
  })
  if (wanted !== undefined && wanted !== own)
    faults.unshift(
      `${head(wanted)}: control planes have its version; say --kubernetes-version ${wanted}, or leave version out`,
    )
  if (faults.length > 0) throw new UsageError(faults.join('\n'))
}
