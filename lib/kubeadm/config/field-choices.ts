/**
 * Fields with a list of values that kubeadm hands on unread: the API server or the kubelet would refuse the others, long
 * after the run began. They are warned of: a later release may know more.
 */
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import { nearest } from '../../base/nearest.ts'
import type { Finding } from './findings.ts'

interface ChoiceField {
  readonly kinds: readonly string[]
  /** Path of the field; `*` is every item of a list. */
  readonly path: string
  readonly choices: readonly string[]
}

/** Source: kubernetes core/v1 types.go (TaintEffect, HostPathType); kubelet config validation.go (v1.18 to v1.36). */
export const CHOICE_FIELDS: readonly ChoiceField[] = [
  {
    kinds: ['InitConfiguration', 'JoinConfiguration'],
    path: 'nodeRegistration.taints.*.effect',
    choices: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'],
  },
  ...['apiServer', 'controllerManager', 'scheduler'].map(component => ({
    kinds: ['ClusterConfiguration'],
    path: `${component}.extraVolumes.*.pathType`,
    choices: ['DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket', 'CharDevice', 'BlockDevice'],
  })),
  { kinds: ['KubeletConfiguration'], path: 'cgroupDriver', choices: ['systemd', 'cgroupfs'] },
  { kinds: ['KubeletConfiguration'], path: 'hairpinMode', choices: ['promiscuous-bridge', 'hairpin-veth', 'none'] },
]

/** What a document says in such fields that nobody knows; what is empty or of another type is not spoken of here. */
export function choiceFindings(kind: string, document: JsonObject): Finding[] {
  return CHOICE_FIELDS.filter(({ kinds }) => kinds.includes(kind)).flatMap(({ path, choices }) =>
    valuesAt(document, path.split('.')).flatMap(({ field, value }) => {
      if (typeof value !== 'string' || value === '' || choices.includes(value)) return []
      const hint = nearest(value, choices)
      const mean = hint === undefined ? '' : `; did you mean ${hint}?`
      return [
        {
          kind,
          field,
          value,
          reason: `it is not known; use one of ${choices.join(', ')}${mean}`,
          isWarning: true as const,
        },
      ]
    }),
  )
}

function valuesAt(
  from: Json | undefined,
  path: readonly string[],
  field = '',
): { readonly field: string; readonly value: Json }[] {
  const [key, ...rest] = path
  if (from === undefined) return []
  if (key === undefined) return [{ field, value: from }]
  const inner = (name: string | number): string => (field === '' ? `${name}` : `${field}.${name}`)
  if (key !== '*') return isObject(from) ? valuesAt(from[key], rest, inner(key)) : []
  return Array.isArray(from) ? from.flatMap((item, index) => valuesAt(item as Json, rest, inner(index))) : []
}
