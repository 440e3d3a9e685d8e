/** Looks up what Go knows of a field: its type, whether it is written when empty, and how lists of it merge. */
import { POD_TYPES } from './pod-types.ts'
import type { PatchTarget } from './target.ts'
import { VOLUME_TYPES } from './volume-types.ts'

/** A type as the tables write it, e.g. `[]Container`; undefined where no table says anything. */
export type TypeName = string | undefined

export interface Field {
  readonly name: string
  readonly type: string
  /** Written even when it is empty. */
  readonly always: boolean
}

/** How a list of a struct merges: its items by this member, or as texts (`''`). Other lists are replaced. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  'ObjectMeta.ownerReferences': 'uid',
  'ObjectMeta.finalizers': '',
  'PodSpec.volumes': 'name',
  'PodSpec.initContainers': 'name',
  'PodSpec.containers': 'name',
  'PodSpec.ephemeralContainers': 'name',
  'PodSpec.imagePullSecrets': 'name',
  'PodSpec.hostAliases': 'ip',
  'PodSpec.topologySpreadConstraints': 'topologyKey',
  'PodSpec.schedulingGates': 'name',
  'PodSpec.resourceClaims': 'name',
  'Container.ports': 'containerPort',
  'Container.env': 'name',
  'Container.volumeMounts': 'mountPath',
  'Container.volumeDevices': 'devicePath',
  'EphemeralContainer.ports': 'containerPort',
  'EphemeralContainer.env': 'name',
  'EphemeralContainer.volumeMounts': 'mountPath',
  'EphemeralContainer.volumeDevices': 'devicePath',
}

/** The type of what a target is; the kubelet's configuration needs none, as nothing in it merges by key. */
export const TYPE_OF_TARGET: Readonly<Record<PatchTarget, TypeName>> = {
  etcd: 'Pod',
  'kube-apiserver': 'Pod',
  'kube-controller-manager': 'Pod',
  'kube-scheduler': 'Pod',
  kubeletconfiguration: undefined,
  corednsdeployment: 'Deployment',
}

/** The fields of a struct; undefined when `type` is none. */
export function fieldsOf(type: TypeName): readonly Field[] | undefined {
  const name = type?.replace(/^\*/, '')
  const body = name === undefined || !/^[A-Z]/.test(name) ? undefined : bodyOf(name)
  return body
    ?.trim()
    .split(/\s+/)
    .map(word => {
      const [, field = '', fieldType = 'string', always] = /^(\w+)(?::([^!]+))?(!)?$/.exec(word) ?? []
      return { name: field, type: fieldType, always: always !== undefined }
    })
}

/** The indented lines below a type's name. */
function bodyOf(name: string): string | undefined {
  return [POD_TYPES, VOLUME_TYPES]
    .map(table => new RegExp(`^${name}\\n((?: .*\\n)+)`, 'm').exec(table)?.[1])
    .find(Boolean)
}

/** The type of a list's items or of a mapping's values. */
export function itemType(type: TypeName): TypeName {
  return type?.replace(/^\*?(\[\]|\{\})/, '')
}

/** The member that items of a list merge by, `''` when they are texts; undefined when the list is replaced. */
export function mergeKeyOf(struct: TypeName, field: string): string | undefined {
  return MERGE_KEYS[`${struct?.replace(/^\*/, '')}.${field}`]
}
