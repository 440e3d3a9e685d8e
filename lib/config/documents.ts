/** The documents of a configuration file: found, told apart, and read strictly into their fields. */
import type { Fault } from '../errors.ts'
import { isObject, type JsonObject } from '../json.ts'
import { encodeStruct } from '../kubelet/struct.ts'
import { nearest } from '../nearest.ts'
import type { Version } from '../version.ts'
import { parseDocuments, type YamlDocument } from '../yaml.ts'
import { type Finding, fieldPath } from './findings.ts'
import { FORMER_API_VERSIONS, KINDS, structOf } from './kinds.ts'
import { versionHint } from './version-hint.ts'

/** A document whose API version and kind are known. */
export interface ConfigDocument {
  readonly apiVersion: string
  readonly kind: string
  /** As written. */
  readonly value: JsonObject
  readonly lineOf: YamlDocument['lineOf']
}

export interface ConfigDocuments {
  readonly documents: readonly ConfigDocument[]
  readonly faults: readonly Fault[]
  readonly foreign: readonly ForeignDocument[]
}

/** A document of an API group that is none of ours. */
export interface ForeignDocument {
  /** API version and kind, e.g. `foo/v1 Bar`. */
  readonly name: string
  readonly line: number
}

/**
 * The documents of `text`, with all faults of syntax, of unknown or doubled kinds.
 * Documents of other API groups are foreign: kubeadm's commands pass over them, its `config validate` refuses them.
 */
export function readDocuments(text: string, file: string): ConfigDocuments {
  const unreadable = textFault(text)
  if (unreadable !== undefined) return { documents: [], foreign: [], faults: [{ file, field: '', reason: unreadable }] }
  const documents: ConfigDocument[] = []
  const faults: Fault[] = []
  const foreign: ForeignDocument[] = []
  for (const document of parseDocuments(text, file)) {
    const { value, line, lineOf } = document
    const { apiVersion, kind } = isObject(value) ? value : {}
    const kindFields = typeof kind === 'string' && kind !== '' ? { kind } : {}
    faults.push(...document.faults.map(fault => ({ ...kindFields, ...fault })))
    if (value === undefined) continue
    const fault = (field: string, reason: string): void => {
      faults.push({ file, line: field === '' ? line : lineOf([field]), ...kindFields, field, reason })
    }
    if (!isObject(value)) {
      fault('', notMapping(value))
    } else if (typeof apiVersion !== 'string' || typeof kind !== 'string' || apiVersion === '' || kind === '') {
      fault('', missingTypeReason(apiVersion, kind))
    } else if (documents.some(other => other.kind === kind)) {
      fault('kind', `kind "${kind}" is specified twice in the file; keep one document of each kind`)
    } else if (!KINDS.some(row => row.apiVersion === apiVersion && row.kind === kind)) {
      if (isForeign(apiVersion)) foreign.push({ name: `${apiVersion} ${kind}`, line })
      else fault(...unknownApi(apiVersion, kind))
    } else {
      documents.push({ apiVersion, kind, value, lineOf })
    }
  }
  return { documents, faults, foreign }
}

function textFault(text: string): string | undefined {
  if (text.includes('\0') || text.includes('\ufffd')) {
    return 'it is no UTF-8 text; name a YAML or JSON file, and save it as UTF-8'
  }
  return undefined
}

function notMapping(value: unknown): string {
  if (value === null) return 'the document is empty: kind and apiVersion are missing; fill it in or take its "---" out'
  const found = Array.isArray(value) ? 'a list' : 'plain text'
  return `the document is ${found}, not a mapping with apiVersion and kind; correct its indentation`
}

function missingTypeReason(apiVersion: unknown, kind: unknown): string {
  const missing = [
    ...(typeof kind === 'string' && kind !== '' ? [] : ['kind']),
    ...(typeof apiVersion === 'string' && apiVersion !== '' ? [] : ['apiVersion']),
  ]
  return `${missing.join(' and ')} must be given as text; write e.g. "apiVersion: kubeadm.k8s.io/v1beta4" and "kind: ClusterConfiguration"`
}

/** Groups whose documents concern us; a wrong version or kind in them is a mistake. */
const OWN_GROUPS: readonly string[] = [...new Set(KINDS.map(row => groupOf(row.apiVersion)))]

function groupOf(apiVersion: string): string {
  return apiVersion.split('/')[0] ?? ''
}

function isForeign(apiVersion: string): boolean {
  return !OWN_GROUPS.includes(groupOf(apiVersion))
}

function unknownApi(apiVersion: string, kind: string): [field: string, reason: string] {
  const former = FORMER_API_VERSIONS[apiVersion]
  if (former !== undefined) {
    return [
      'apiVersion',
      `the API version "${apiVersion}" is too old; convert the file with kubeadm ${former}: kubeadm config migrate --old-config FILE`,
    ]
  }
  const versions = [...new Set(KINDS.filter(row => row.kind === kind).map(row => row.apiVersion))]
  if (versions.length > 0) {
    return ['apiVersion', `"${apiVersion}" has no kind "${kind}"; use ${versions.join(' or ')}`]
  }
  const kinds = [...new Set(KINDS.filter(row => groupOf(row.apiVersion) === groupOf(apiVersion)).map(row => row.kind))]
  const hint = nearest(kind, kinds)
  const advice = hint === undefined ? `use one of ${kinds.join(', ')}` : `did you mean "${hint}"?`
  return ['kind', `the kind "${kind}" is unknown in "${apiVersion}"; ${advice}`]
}

/** What a document says. */
export interface DecodedDocument {
  /** As kubeadm reads it: zero values left out, durations in Go's form. */
  readonly value: JsonObject
  /** All that is wrong with its fields. */
  readonly findings: readonly Finding[]
}

/** Reads a document's fields strictly: unknown ones, wrong types and malformed values are findings. */
export function decodeDocument(document: ConfigDocument, release: Version): DecodedDocument {
  const { apiVersion, kind } = document
  const struct = structOf(apiVersion, kind)
  if (struct === undefined) return { value: {}, findings: [] }
  const { value, faults } = encodeStruct(struct, document.value, release)
  const findings = faults.map(fault => ({
    ...fault,
    kind,
    reason: `${fault.reason}${versionHint(apiVersion, kind, fieldPath(fault.field))}`,
  }))
  return { value: keepEmptyTaints(value, document.value), findings }
}

// An empty list of taints says "none", no list says "the default"; everywhere else both are the same.
function keepEmptyTaints(decoded: JsonObject, written: JsonObject): JsonObject {
  const { nodeRegistration } = written
  if (!isObject(nodeRegistration) || !isObject(decoded.nodeRegistration)) return decoded
  if (!Array.isArray(nodeRegistration.taints) || nodeRegistration.taints.length > 0) return decoded
  return { ...decoded, nodeRegistration: { ...decoded.nodeRegistration, taints: [] } }
}
