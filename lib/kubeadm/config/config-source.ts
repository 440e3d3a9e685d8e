/** Where a configuration comes from: a file's documents and the flags, read into one draft per kind. */
import { DEFAULT_VERSION } from '../../base/defaults.ts'
import type { Fault } from '../../base/errors.ts'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import type { ComponentConfig, KubeadmKind } from '../../base/kubeadm.ts'
import { isSince, parseVersion, type Version } from '../../base/version.ts'
import type { Flags } from '../../cli/options.ts'
import { type ConfigDocument, decodeDocument, type ForeignDocument, readDocuments } from './config-documents.ts'
import { conversionFindings, toV1beta4 } from './convert.ts'
import { choiceFindings } from './field-choices.ts'
import { type Finding, isWithin, type Origin, placeFindings, warningLines } from './findings.ts'
import { type FlagField, type GivenFlags, readFlags, refuseMixedFlags } from './flag-fields.ts'
import { DEPRECATED_SINCE } from './kinds.ts'
import { chooseVersion, type VersionChoice } from './kubernetes-version.ts'

/** What a user gave. */
export interface ConfigSource {
  /** The text of the configuration file; without it there are flags and defaults only. */
  readonly text?: string
  /** The file's name, for messages. */
  readonly file?: string
  readonly flags?: GivenFlags
  /** Which flag sets which field; those of an init when left out. */
  readonly flagFields?: readonly FlagField[]
  /** Whether to look for the container runtime's socket when none is named. @default {true} */
  readonly detectCriSocket?: boolean
  /** Names of the phases that may be skipped; without them any name will do. */
  readonly phases?: readonly string[]
  /** What names of versions stand for (`stable`, `1.36`), where they were looked up; the others are what is known here. */
  readonly versions?: Readonly<Record<string, string>>
  /** Whether a name of a version will do of which nothing is known here: init would look it up. */
  readonly guessNames?: boolean
  /** Whether it is what a cluster has stored: nobody who reads that can correct a field that is unknown. */
  readonly stored?: boolean
  /** Whether there is such a file on the host, for discovery files; without it they are not looked for. */
  readonly exists?: (path: string) => boolean
}

/** What was read from a source. */
export interface Drafts {
  readonly documents: readonly ConfigDocument[]
  /** By kind, in v1beta4's shape and without defaults; kinds that were not given are absent. */
  readonly drafts: Readonly<Partial<Record<KubeadmKind, JsonObject>>>
  /** ClusterConfiguration as decoded, before conversion. */
  readonly writtenCluster?: JsonObject
  readonly kubelet: ComponentConfig
  readonly kubeProxy: ComponentConfig
  readonly choice: VersionChoice
  readonly origins: readonly Origin[]
  /** Everything wrong so far. */
  readonly faults: readonly Fault[]
  /** What decoding found; later findings about the same fields say nothing new. */
  readonly findings: readonly Finding[]
  readonly foreign: readonly ForeignDocument[]
  readonly notices: readonly string[]
  /** Notices about old API versions; nobody who converts them wants to hear those. */
  readonly deprecations: readonly string[]
}

/** How messages call the file. */
export function sourceName({ file }: ConfigSource): string {
  return file ?? 'the configuration'
}

const KUBEADM_KINDS: readonly KubeadmKind[] = [
  'InitConfiguration',
  'ClusterConfiguration',
  'JoinConfiguration',
  'ResetConfiguration',
  'UpgradeConfiguration',
]

const NEWEST = parseVersion(DEFAULT_VERSION) as Version

/** Reads file and flags; never throws for what is wrong with their values, only a UsageError for flags that cannot be mixed. */
export function readSource(source: ConfigSource): Drafts {
  const { text, flags = {}, flagFields, stored } = source
  const file = sourceName(source)
  if (text !== undefined) refuseMixedFlags(flags, flagFields)
  const { documents, faults, foreign } =
    text === undefined ? { documents: [], faults: [], foreign: [] } : readDocuments(text, file)
  const given = readFlags(flags, flagFields)
  const findings: Finding[] = [...given.findings]
  const drafts: Partial<Record<KubeadmKind, JsonObject>> = {}
  let writtenCluster: JsonObject | undefined
  for (const kind of KUBEADM_KINDS) {
    const document = documents.find(one => one.kind === kind)
    const decoded = document && decodeDocument(document, { release: NEWEST, ...(stored && { stored }) })
    const flagged = given.documents[kind]
    if (decoded === undefined && flagged === undefined) continue
    if (kind === 'ClusterConfiguration') writtenCluster = decoded?.value
    findings.push(...(decoded?.findings ?? []), ...conversionFindings(kind, decoded?.value ?? {}))
    const written = document && decoded ? toV1beta4(document.apiVersion, decoded.value) : {}
    findings.push(...choiceFindings(kind, written))
    drafts[kind] = merge(written, flagged ?? {})
  }
  const chosen = choose(drafts.ClusterConfiguration, flags, source)
  const components = documents
    .filter(({ kind }) => kind === 'KubeletConfiguration' || kind === 'KubeProxyConfiguration')
    .flatMap(document => {
      const { kubeadm: release, version: wanted } = chosen.choice
      const decoded = decodeDocument(document, { release, wanted, ...(stored && { stored }) })
      return [...decoded.findings, ...choiceFindings(document.kind, decoded.value)]
    })
  const origins = originsOf(documents, file, given.fields, text !== undefined)
  return {
    documents,
    drafts,
    ...(writtenCluster && { writtenCluster }),
    kubelet: componentConfig(documents, 'KubeletConfiguration'),
    kubeProxy: componentConfig(documents, 'KubeProxyConfiguration'),
    choice: chosen.choice,
    origins,
    faults: [
      ...faults,
      ...placeFindings([...findings, ...components, ...unless(findings, chosen.findings)], origins),
      ...chosen.faults,
    ],
    findings: [...findings, ...chosen.findings],
    foreign,
    notices: [...chosen.choice.notices, ...warningLines([...findings, ...components], origins)],
    deprecations: flags['allow-deprecated-api'] ? [] : deprecations(documents, file, chosen.choice.kubeadm),
  }
}

/** Findings about fields that `earlier` ones do not already speak of. */
export function unless(earlier: readonly Finding[], findings: readonly Finding[]): Finding[] {
  return findings.filter(
    ({ kind, field }) =>
      !earlier.some(other => other.kind === kind && (isWithin(field, other.field) || isWithin(other.field, field))),
  )
}

function choose(
  cluster: JsonObject | undefined,
  flags: Flags,
  { versions = {}, guessNames: guess = false }: ConfigSource,
): { choice: VersionChoice; findings: readonly Finding[]; faults: readonly Fault[] } {
  const text = typeof cluster?.kubernetesVersion === 'string' ? cluster.kubernetesVersion : ''
  const kubeadm = flags['kubeadm-version']
  const choice = chooseVersion(versions[text] ?? text, { guess, ...(kubeadm && { kubeadm }) })
  if (!('reason' in choice)) return { choice, findings: [], faults: [] }
  // The rest is checked as if nothing had been said about versions.
  const fallback = chooseVersion('') as VersionChoice
  const { reason } = choice
  if (choice.ofKubeadm) {
    const fault = { file: 'flags', field: '--kubeadm-version', value: kubeadm ?? '', reason }
    return { choice: fallback, findings: [], faults: [fault] }
  }
  const finding = { kind: 'ClusterConfiguration', field: 'kubernetesVersion', value: text, reason }
  return { choice: fallback, findings: [finding], faults: [] }
}

function componentConfig(documents: readonly ConfigDocument[], kind: string): ComponentConfig {
  const document = documents.find(one => one.kind === kind)
  return { document: document?.value ?? {}, userSupplied: document !== undefined }
}

function originsOf(
  documents: readonly ConfigDocument[],
  file: string,
  fields: ReturnType<typeof readFlags>['fields'],
  hasFile: boolean,
): Origin[] {
  const components = ['KubeletConfiguration', 'KubeProxyConfiguration']
  return [...KUBEADM_KINDS, ...components].map(kind => {
    const document = documents.find(one => one.kind === kind)
    return {
      kind,
      ...(hasFile && { file }),
      ...(document && { lineOf: document.lineOf }),
      flags: fields[kind as KubeadmKind] ?? {},
    }
  })
}

function deprecations(documents: readonly ConfigDocument[], file: string, kubeadm: Version): string[] {
  const old = documents.filter(({ apiVersion }) => {
    const since = DEPRECATED_SINCE[apiVersion]
    return since !== undefined && isSince(kubeadm, since)
  })
  return [...new Set(old.map(document => document.apiVersion))].map(apiVersion => {
    const kinds = old.filter(document => document.apiVersion === apiVersion).map(document => document.kind)
    return `config: ${file}: ${apiVersion} is deprecated (${kinds.join(', ')}); "config migrate --old-config ${file}" rewrites the file`
  })
}

/** Lists that flag and file have in common; of others the flag's wins. Source: kubeadm cmd/init.go (v1.36). */
const JOINED: readonly string[] = ['ignorePreflightErrors']

// Flags win over the file.
function merge(written: JsonObject, flagged: JsonObject): JsonObject {
  const merged: Record<string, Json | undefined> = { ...written }
  for (const [key, value] of Object.entries(flagged)) {
    const before = merged[key]
    if (isObject(before) && isObject(value)) merged[key] = merge(before, value)
    else if (JOINED.includes(key) && Array.isArray(before) && Array.isArray(value)) merged[key] = [...before, ...value]
    else merged[key] = value
  }
  return merged
}
