/** kind's kubeadmConfigPatches: pieces of kubeadm's documents, put together. */
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import { type Path, parseDocuments, stringify } from '../../base/yaml.ts'
import { type Complain, itemsOf, labelsOf, type NodeSpec, taintsOf } from './node-spec.ts'

/** Fields by the kind of their document. */
export type PatchDocuments = Readonly<Record<string, JsonObject>>

export interface KubeadmPatches {
  readonly documents: PatchDocuments
  readonly joining: JoinPart
}

/** What nodes that join get. */
export type JoinPart = Pick<NodeSpec, 'labels' | 'taints' | 'kubeletArgs'>

const KINDS: readonly string[] = [
  'InitConfiguration',
  'ClusterConfiguration',
  'KubeletConfiguration',
  'KubeProxyConfiguration',
]

/** Says nothing of the cluster. */
const UNMEANT: readonly string[] = ['kind', 'apiVersion', 'metadata']

export function kubeadmPatches(value: Json | undefined, path: Path, complain: Complain): KubeadmPatches {
  const found: PatchDocuments[] = []
  let joining: JoinPart = { labels: {} }
  for (const [index, item] of itemsOf(value, path, complain).entries()) {
    const place = [...path, index]
    if (typeof item !== 'string') {
      complain(place, 'it is not text; write "- |" before it')
      continue
    }
    for (const { value: patch, faults } of parseDocuments(item)) {
      for (const { reason, line = 1 } of faults) complain(place, `line ${line} of it: ${reason}`)
      if (!isObject(patch)) continue
      const { kind } = patch
      const fields = Object.fromEntries(
        Object.entries(patch)
          .filter(([name]) => !UNMEANT.includes(name))
          .map(([name, field]) => [name, withLists(field)]),
      )
      if (kind === 'JoinConfiguration') joining = joinBoth(joining, joinPart(fields, place, complain))
      else if (KINDS.includes(String(kind))) found.push({ [String(kind)]: fields })
      else complain(place, `it is of no kind that there is; write kind: and ${KINDS.join(', ')}`, kind)
    }
  }
  return { documents: mergeDocuments(found), joining }
}

/** Arguments are lists of names and values from v1beta4 on, and were mappings before. */
export function withLists(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map(item => withLists(item) ?? null)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      /xtraArgs$/.test(name) && isObject(field)
        ? Object.entries(field).map(([argument, text]) => ({ name: argument, value: String(text) }))
        : withLists(field),
    ]),
  )
}

/** Flags of a kubelet by which nodes of one machine keep apart. */
const OWN_FLAGS: readonly string[] = ['cgroup-driver', 'cgroup-root', 'hostname-override', 'node-ip']

/** Labels, taints and flags of the kubelet are all that differs from node to node here. */
function joinPart(fields: JsonObject, path: Path, complain: Complain): JoinPart {
  const { nodeRegistration, ...others } = fields
  const { kubeletExtraArgs, taints, ...more } = isObject(nodeRegistration) ? nodeRegistration : {}
  for (const name of [...Object.keys(others), ...Object.keys(more).map(key => `nodeRegistration.${key}`)])
    complain(path, 'of a node that joins labels, taints and flags of its kubelet are taken; leave this out', name)
  const args = (Array.isArray(kubeletExtraArgs) ? kubeletExtraArgs : [])
    .filter(isObject)
    .map(({ name, value }) => ({ name: String(name), value: String(value ?? '') }))
  for (const { name } of args.filter(one => OWN_FLAGS.includes(one.name)))
    complain(path, 'nodes of this machine have their own; leave it out', `nodeRegistration.kubeletExtraArgs.${name}`)
  const labels = args
    .filter(({ name }) => name === 'node-labels')
    .flatMap(({ value }) => value.split(','))
    .filter(text => text !== '')
    .map(text => [text.split('=')[0] ?? '', text.split('=').slice(1).join('=')] as const)
  const kubeletArgs = args.filter(({ name }) => name !== 'node-labels')
  const own = taintsOf(taints, path, complain)
  return {
    labels: labelsOf(Object.fromEntries(labels), path, complain),
    ...(own !== undefined && { taints: own }),
    ...(kubeletArgs.length > 0 && { kubeletArgs }),
  }
}

/** Both in one, the later over the earlier. */
export function joinBoth(before: JoinPart, after: JoinPart): JoinPart {
  const names = (after.kubeletArgs ?? []).map(({ name }) => name)
  const kubeletArgs = [
    ...(before.kubeletArgs ?? []).filter(({ name }) => !names.includes(name)),
    ...(after.kubeletArgs ?? []),
  ]
  return {
    ...before,
    ...after,
    labels: { ...before.labels, ...after.labels },
    ...(kubeletArgs.length > 0 && { kubeletArgs }),
  }
}

/** All of them in one, the later over the earlier. */
export function mergeDocuments(all: readonly PatchDocuments[]): PatchDocuments {
  return all.reduce<PatchDocuments>((merged, one) => merge(merged, one) as PatchDocuments, {})
}

function merge(before: JsonObject, after: JsonObject): JsonObject {
  return Object.fromEntries(
    [...new Set([...Object.keys(before), ...Object.keys(after)])].map(name => [
      name,
      both(name, before[name], after[name]),
    ]),
  )
}

function both(name: string, before: Json | undefined, after: Json | undefined): Json | undefined {
  if (after === undefined) return before
  if (isObject(before) && isObject(after)) return merge(before, after)
  if (!/xtraArgs$/.test(name) || !Array.isArray(before) || !Array.isArray(after)) return after
  const names = after.filter(isObject).map(item => item.name)
  return [...before.filter(item => !isObject(item) || !names.includes(item.name)), ...after]
}

const KUBEADM = 'kubeadm.k8s.io/v1beta4'
const VERSIONS: Readonly<Record<string, string>> = {
  KubeletConfiguration: 'kubelet.config.k8s.io/v1beta1',
  KubeProxyConfiguration: 'kubeproxy.config.k8s.io/v1alpha1',
}

/** They as the text of a kubeadm configuration; there is always a ClusterConfiguration. */
export function documentsText(documents: PatchDocuments): string {
  return Object.entries({ ClusterConfiguration: {}, ...documents })
    .filter(([kind, fields]) => kind === 'ClusterConfiguration' || Object.keys(fields).length > 0)
    .map(([kind, fields]) => stringify({ apiVersion: VERSIONS[kind] ?? KUBEADM, kind, ...fields }))
    .join('---\n')
}
