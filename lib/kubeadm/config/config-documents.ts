/** The documents of a configuration file: found, told apart, and read strictly into their fields. */
import type { Fault } from '../../base/errors.ts'
import { encodeStruct } from '../../base/go/struct.ts'
import { isObject, type JsonObject } from '../../base/json.ts'
import { nearest } from '../../base/nearest.ts'
import type { Version } from '../../base/version.ts'
import { parseDocuments, type YamlDocument } from '../../base/yaml.ts'
import { FORMER_FIELDS, FORMER_KINDS, unknownFieldReason } from './field-advice.ts'
import { type Finding, fieldPath } from './findings.ts'
import { FORMER_API_VERSIONS, KIND_ADVICE, KINDS, OTHER_TOOLS, structOf } from './kinds.ts'
import { valueReason } from './value-advice.ts'
import { versionHint } from './version-hint.ts'

/** A document whose API version and kind are known. */
export interface ConfigDocument {
  readonly apiVersion: string
  readonly kind: string
  /** As written. */
  readonly value: JsonObject
  readonly lineOf: YamlDocument['lineOf']
  readonly scalarAt: YamlDocument['scalarAt']
  /** The lines of the file that it stands in, as they are. */
  readonly source: string
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
  readonly source: string
  /** Of another tool's configuration, how to come over from it. */
  readonly advice?: string
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
    const { value, line, lineOf, scalarAt, source } = document
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
      fault('', kind === 'Cluster' && apiVersion === undefined ? KIND_ADVICE : missingTypeReason(apiVersion, kind))
    } else if (documents.some(other => other.kind === kind)) {
      fault('kind', `kind "${kind}" is specified twice in the file; keep one document of each kind`)
    } else if (!KINDS.some(row => row.apiVersion === apiVersion && row.kind === kind)) {
      if (isForeign(apiVersion)) foreign.push(foreignDocument(apiVersion, kind, document))
      else {
        fault(...unknownApi(apiVersion, kind))
        for (const said of formerFields(apiVersion, kind, value)) fault(...said)
      }
    } else {
      documents.push({ apiVersion, kind, value, lineOf, scalarAt, source })
    }
  }
  return { documents, faults, foreign }
}

function textFault(text: string): string | undefined {
  if (text.includes('\0') || text.includes('\ufffd')) {
    return 'it is not UTF-8 text; name a YAML or JSON file, and save it as UTF-8'
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

function foreignDocument(apiVersion: string, kind: string, { line, source }: YamlDocument): ForeignDocument {
  const advice = OTHER_TOOLS.find(([group]) => group.test(groupOf(apiVersion)))?.[1]
  return { name: `${apiVersion} ${kind}`, line, source, ...(advice !== undefined && { advice }) }
}

/** What the kind and the fields of an alpha version are called now. */
function formerFields(apiVersion: string, kind: string, document: JsonObject): [field: string, reason: string][] {
  const now = FORMER_KINDS[kind]
  const isFormer = FORMER_API_VERSIONS[apiVersion] !== undefined
  const told: [string, string][] = now === undefined || !isFormer ? [] : [['kind', `it is ${now} now`]]
  if (now === undefined && !isFormer) return []
  return [
    ...told,
    ...Object.keys(document).flatMap((name): [string, string][] => {
      const field = FORMER_FIELDS[name]
      return field === undefined ? [] : [[name, `it is ${field} now`]]
    }),
  ]
}

function unknownApi(apiVersion: string, kind: string): [field: string, reason: string] {
  const former = FORMER_API_VERSIONS[apiVersion]
  if (former !== undefined) return ['apiVersion', `the API version "${apiVersion}" is too old; ${former}`]
  const versions = [...new Set(KINDS.filter(row => row.kind === kind).map(row => row.apiVersion))]
  if (versions.length > 0) return ['apiVersion', `"${apiVersion}" has no kind "${kind}"; use ${versions.join(' or ')}`]
  const kinds = [...new Set(KINDS.filter(row => groupOf(row.apiVersion) === groupOf(apiVersion)).map(row => row.kind))]
  const now = FORMER_KINDS[kind]
  if (now !== undefined) return ['kind', `the kind "${kind}" is gone; it is ${now} now`]
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

/** What a document is read as. */
export interface Reading {
  readonly release: Version
  /** The release that is asked for, where that is another one. */
  readonly wanted?: Version
  /** Whether a cluster has stored it. */
  readonly stored?: boolean
}

/**
 * Reads a document's fields strictly: unknown ones, wrong types and malformed values are findings. What only another
 * release has is a warning, since one file serves many; so is what may be a field of a release (`wanted`) that is newer
 * than any known here, and an unknown field of what a cluster has stored.
 * Source: kubeadm util/config/cluster.go, getInitConfigurationFromCluster (v1.36).
 */
export function decodeDocument(
  document: ConfigDocument,
  { release, wanted = release, stored = false }: Reading,
): DecodedDocument {
  const { apiVersion, kind } = document
  const struct = structOf(apiVersion, kind)
  if (struct === undefined) return { value: {}, findings: [] }
  const { value, faults, warnings } = encodeStruct(struct, document.value, release, wanted)
  const findings = faults.map(({ siblings, ...fault }): Finding => {
    const path = fieldPath(fault.field)
    const hint = versionHint(apiVersion, kind, path)
    const name = String(path.at(-1) ?? '')
    if (siblings === undefined) return { ...fault, kind, reason: `${valueReason(document, path, fault.reason)}${hint}` }
    const reason = hint === '' ? unknownFieldReason(kind, name, siblings) : `the field is unknown${hint}`
    return { ...fault, kind, reason, ...(stored && { isWarning: true }) }
  })
  const told = warnings.map((fault): Finding => ({ ...fault, kind, isWarning: true }))
  return { value: keepEmptyTaints(value, document.value), findings: [...findings, ...told] }
}

// An empty list of taints says "none", no list says "the default"; everywhere else both are the same.
function keepEmptyTaints(decoded: JsonObject, written: JsonObject): JsonObject {
  const { nodeRegistration } = written
  if (!isObject(nodeRegistration) || !isObject(decoded.nodeRegistration)) return decoded
  if (!Array.isArray(nodeRegistration.taints) || nodeRegistration.taints.length > 0) return decoded
  return { ...decoded, nodeRegistration: { ...decoded.nodeRegistration, taints: [] } }
}
