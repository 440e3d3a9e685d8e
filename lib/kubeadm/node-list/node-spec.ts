/** What is asked of a node of this machine, and what is wrong with how it is written. */
import type { Fault } from '../../base/errors.ts'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import type { Arg, NodeRole, Taint } from '../../base/kubeadm.ts'
import { nearest } from '../../base/nearest.ts'
import type { Path, YamlDocument } from '../../base/yaml.ts'

export interface NodeSpec {
  readonly role: NodeRole
  /** Absent: as it comes, by role and number. */
  readonly name?: string
  readonly labels: Readonly<Record<string, string>>
  /** Absent: those of its role. */
  readonly taints?: readonly Taint[]
  /** Of its kubelet, with its `v`; absent: the cluster's. */
  readonly version?: string
  /** Flags of its kubelet, besides those that all have. */
  readonly kubeletArgs?: readonly Arg[]
  readonly ports: readonly PortSpec[]
  readonly folders: readonly FolderSpec[]
}

/** A port of this machine that leads to one of the node. */
export interface PortSpec {
  /** Absent: TCP. */
  readonly protocol?: 'UDP'
  /** Where this machine listens; absent: everywhere. */
  readonly address?: string
  readonly hostPort: number
  readonly nodePort: number
}

/** A folder or file of this machine that the node has, too. */
export interface FolderSpec {
  readonly from: string
  readonly to: string
  readonly readOnly: boolean
  /** What is mounted there by either side is to be seen by both. */
  readonly isShared?: true
}

export const ROLES: readonly NodeRole[] = ['control-plane', 'worker']

/** Notes what is wrong with a field of a document. */
export type Complain = (path: Path, reason: string, value?: unknown) => void

const LONGEST_VALUE = 80

/** Collects faults of a document of `kind`. */
export function complaints(
  document: Pick<YamlDocument, 'lineOf'>,
  file: string,
  kind?: string,
): { readonly faults: Fault[]; readonly complain: Complain } {
  const faults: Fault[] = []
  const complain: Complain = (path, reason, value) => {
    const text = typeof value === 'string' ? value : value === undefined ? undefined : JSON.stringify(value)
    faults.push({
      file,
      line: document.lineOf(path),
      ...(kind !== undefined && { kind }),
      field: path.join('.'),
      ...(text !== undefined && { value: text.slice(0, LONGEST_VALUE) }),
      reason,
    })
  }
  return { faults, complain }
}

/** The fields of a mapping, those that are unknown complained of; an empty one when it is none. */
export function fieldsOf(
  value: Json | undefined,
  known: readonly string[],
  path: Path,
  complain: Complain,
): JsonObject {
  if (value === undefined || value === null) return {}
  if (!isObject(value)) {
    complain(path, `it is not a mapping; write ${known.slice(0, 3).join(', ')} below it`, value)
    return {}
  }
  for (const name of Object.keys(value).filter(key => !known.includes(key))) {
    const near = nearest(name, known)
    complain(
      [...path, name],
      `the field is unknown; ${near === undefined ? `use ${known.join(', ')}` : `did you mean ${near}?`}`,
    )
  }
  return value
}

/** The items of a list; none when it is no list, of which is complained. */
export function itemsOf(value: Json | undefined, path: Path, complain: Complain): readonly Json[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value
  complain(path, 'it is not a list; begin each of its items with "- "', value)
  return []
}

export function roleOf(value: Json | undefined, path: Path, complain: Complain): NodeRole {
  const role = ROLES.find(one => one === value)
  if (role === undefined) complain(path, `it is no role; write ${ROLES.join(' or ')}`, value)
  return role ?? 'worker'
}

/** A name of a host. Source: RFC 1123; apimachinery util/validation (v1.36). */
const NAME = /^[a-z\d](?:[-a-z\d]{0,61}[a-z\d])?$/

export function nameOf(value: Json | undefined, path: Path, complain: Complain): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && NAME.test(value)) return value
  complain(
    path,
    'it is no name of a host; use up to 63 lower case letters, digits and "-", with none of those at its ends',
    value,
  )
  return undefined
}

/** Source: apimachinery util/validation, qualified names and label values (v1.36). */
const KEY =
  /^(?:(?=.{1,253}\/)[a-z\d](?:[-a-z\d]*[a-z\d])?(?:\.[a-z\d](?:[-a-z\d]*[a-z\d])?)*\/)?[A-Za-z\d](?:[-\w.]{0,61}[A-Za-z\d])?$/
const VALUE = /^(?:[A-Za-z\d](?:[-\w.]{0,61}[A-Za-z\d])?)?$/

/** Labels; where `scalarAt` is given, numbers and truth values are text as they are written. */
export function labelsOf(
  value: Json | undefined,
  path: Path,
  complain: Complain,
  scalarAt?: YamlDocument['scalarAt'],
): Record<string, string> {
  if (value === undefined || value === null) return {}
  if (!isObject(value)) {
    complain(path, 'it is not a mapping; write names and values of labels below it', value)
    return {}
  }
  const texts = Object.entries(value).map(([key, label]) =>
    typeof label === 'number' || typeof label === 'boolean'
      ? ([key, scalarAt?.([...path, key]) ?? label] as const)
      : ([key, label] as const),
  )
  const good = texts.filter(([key, label]) => {
    const reason = !KEY.test(key)
      ? 'it is no name of a label; use letters, digits, "-", "_" and "." after a domain and "/"'
      : typeof label !== 'string'
        ? 'its value is not text; put it into quotes'
        : VALUE.test(label)
          ? undefined
          : 'it is no value of a label; use up to 63 letters, digits, "-", "_" and "."'
    if (reason !== undefined) complain([...path, key], reason, label)
    return reason === undefined
  })
  return Object.fromEntries(good.map(([key, label]) => [key, String(label)]))
}

const EFFECTS: readonly string[] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

/** Taints as `key=value:Effect`, or as mappings. */
export function taintsOf(value: Json | undefined, path: Path, complain: Complain): Taint[] | undefined {
  if (value === undefined || value === null) return undefined
  return itemsOf(value, path, complain).flatMap((item, index): Taint[] => {
    const place = [...path, index]
    const [, key, text, effect] = typeof item === 'string' ? (/^([^=:]+)(?:=([^:]*))?:(.+)$/.exec(item) ?? []) : []
    const written = isObject(item) ? item : { key, value: text, effect }
    const taint = { key: written.key ?? '', value: written.value ?? '', effect: written.effect ?? '' }
    const isGood =
      [taint.key, taint.value, taint.effect].every(part => typeof part === 'string') &&
      KEY.test(String(taint.key)) &&
      VALUE.test(String(taint.value)) &&
      EFFECTS.includes(String(taint.effect))
    if (!isGood) {
      complain(place, `it is no taint; write it like dedicated=db:NoSchedule, with ${EFFECTS.join(', ')}`, item)
      return []
    }
    const { key: name, value: content, effect: what } = taint
    return [{ key: String(name), effect: String(what), ...(content !== '' && { value: String(content) }) } as Taint]
  })
}

/** SCTP, which Services may have, is led on by nobody here. */
export function protocolOf(value: Json | undefined, path: Path, complain: Complain): 'TCP' | 'UDP' {
  const name = value === undefined || value === null || value === '' ? 'TCP' : String(value).toUpperCase()
  if (name === 'TCP' || name === 'UDP') return name
  complain(path, 'it is not led on to nodes: TCP and UDP are; use one of them, or a NodePort of the node', value)
  return 'TCP'
}

export function portOf(value: Json | undefined): number | undefined {
  const port =
    typeof value === 'number' ? value : typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : 0
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined
}
