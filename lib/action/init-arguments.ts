/**
 * From inputs to what init is given: flags where those say it, a kubeadm configuration where they cannot, or where
 * the user brings one (kubeadm takes no flags beside it that a file has to say).
 */
import { resolve } from 'node:path'
import { isObject, type Json, type JsonObject } from '../base/json.ts'
import { parseAll, stringify } from '../base/yaml.ts'
import type { Flags, OptionName } from '../cli/options.ts'
import { FLAG_FIELDS, readFlags } from '../kubeadm/config/flag-fields.ts'
import { type Argument, type ArgumentsOwner, componentArguments } from './component-args.ts'
import { type Given, isOn, listItems } from './given-inputs.ts'
import { INPUT_ROWS } from './inputs.ts'
import { mergeArguments, mergeFields, union } from './merge-inputs.ts'
import { isCount } from './read-inputs.ts'

/** What init is called with. */
export interface InitCall {
  readonly flags: readonly string[]
  /** Text of the configuration to write and to name with --config; undefined when flags are enough. */
  readonly config?: string
  /** Where inputs win over that configuration. */
  readonly notices?: readonly string[]
}

/**
 * The call of init for what was given; `text` is the user's own configuration.
 * Throws a KubestepError when that is not YAML and would have to be changed.
 */
export function initCall(given: Given, workspace: string, text?: string): InitCall {
  const flags = flagsOf(given, workspace)
  const extras = extraArguments(given)
  const isComposed = extras.length > 0 || given['feature-gates'] !== undefined || given['cluster-name'] !== undefined
  if (text === undefined && !isComposed) return { flags: asArguments(flags) }
  const inFile = FLAG_FIELDS.filter(row => !row.besideConfig && flags[row.flag] !== undefined).map(row => row.flag)
  const beside = Object.fromEntries(Object.entries(flags).filter(([name]) => !inFile.includes(name as OptionName)))
  // Left as it is where nothing has to go in, so that messages name the lines of the user's file.
  if (text !== undefined && !isComposed && inFile.length === 0) {
    const phases = beside['skip-phases'] === undefined ? [] : parseAll(text).filter(isObject)
    return { flags: asArguments(withPhases(beside, phases)), config: text }
  }
  const written = readFlags(flags).documents
  const documents = [...(text === undefined ? [] : parseAll(text))].filter(isObject)
  const notices: string[] = []
  const note = (more: readonly string[]): void => void notices.push(...more)
  const config = [
    (all: Documents) => withFields(all, 'ClusterConfiguration', written.ClusterConfiguration ?? {}, note),
    (all: Documents) => withFields(all, 'InitConfiguration', inFileOnly(written.InitConfiguration ?? {}), note),
    (all: Documents) =>
      given['cluster-name'] === undefined
        ? all
        : withFields(all, 'ClusterConfiguration', { clusterName: given['cluster-name'] }, note),
    (all: Documents) => extras.reduce((now, [owner, list]) => withArguments(now, owner, list, note), all),
    (all: Documents) => withGates(all, given['feature-gates'], note),
  ].reduce<Documents>((all, change) => change(all), documents)
  return {
    flags: asArguments(withPhases(beside, documents)),
    config: config.map(document => stringify(document)).join('---\n'),
    ...(notices.length > 0 && { notices: [...new Set(notices)] }),
  }
}

type Documents = readonly JsonObject[]

/** Takes what is to be said. */
type Note = (notices: readonly string[]) => void

/** A flag of init wins over the file's phases; here both count. */
function withPhases(flags: Flags, documents: Documents): Flags {
  const given = flags['skip-phases']
  const { skipPhases } = documents.find(({ kind }) => kind === 'InitConfiguration') ?? {}
  if (given === undefined || !Array.isArray(skipPhases)) return flags
  return { ...flags, 'skip-phases': union(skipPhases, given.split(',')).join(',') }
}

/** Every input that is an option of init, as init's own reader would have it. */
export function flagsOf(given: Given, workspace: string): Flags {
  const flags: Record<string, string> = {}
  for (const [name, { flag, kind }] of INPUT_ROWS) {
    const value = given[name]
    if (flag === undefined || value === undefined || name === 'config') continue
    if (kind === 'switch' && !isOn(value)) continue
    // The package manager contacts somebody.
    if (name === 'install' && isOn(given.offline)) continue
    // The runner fills in `all`; without a Pod network init knows what can be waited for.
    if (name === 'wait' && value === 'all' && given.cni === 'none') continue
    flags[flag] =
      kind === 'folder' || kind === 'file' || kind === 'config' || (kind === 'nodes' && !isCount(value))
        ? resolve(workspace, value)
        : kind === 'list' || kind === 'subnets'
          ? listItems(value).join(',')
          : value
  }
  return flags
}

/** What finding out the cause and saving the logs takes at most, as far as a short budget allows. */
const DIAGNOSIS_MS = 20_000
const LARGEST_SHARE = 0.25

/** The part of a budget in which the cluster has to come up: the step ends within the whole, also when it is red. */
export function startBudgetMs(wholeMs: number): number {
  return Math.round(wholeMs - Math.min(DIAGNOSIS_MS, wholeMs * LARGEST_SHARE))
}

/** Flags as words of a command line. */
export function asArguments(flags: Flags): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
}

// What may stand beside a file stays a flag.
function inFileOnly(init: JsonObject): JsonObject {
  const beside = FLAG_FIELDS.filter(row => row.besideConfig && row.kind === 'InitConfiguration')
  return beside.reduce((left, { field }) => without(left, field.split('.')), init)
}

function without(object: JsonObject, [key = '', ...rest]: readonly string[]): JsonObject {
  const { [key]: inner, ...others } = object
  if (rest.length === 0 || !isObject(inner)) return others
  const left = without(inner, rest)
  return Object.keys(left).length === 0 ? others : { ...others, [key]: left }
}

/** Where the flags of a component stand. */
const OWNERS: Readonly<Record<ArgumentsOwner, readonly [kind: string, path: readonly string[]]>> = {
  apiserver: ['ClusterConfiguration', ['apiServer', 'extraArgs']],
  'controller-manager': ['ClusterConfiguration', ['controllerManager', 'extraArgs']],
  scheduler: ['ClusterConfiguration', ['scheduler', 'extraArgs']],
  etcd: ['ClusterConfiguration', ['etcd', 'local', 'extraArgs']],
  kubelet: ['InitConfiguration', ['nodeRegistration', 'kubeletExtraArgs']],
}

const GATED: readonly ArgumentsOwner[] = ['apiserver', 'controller-manager', 'scheduler']

function extraArguments(given: Given): (readonly [ArgumentsOwner, readonly Argument[]])[] {
  const found = Object.entries(componentArguments(given['extra-args'])) as [ArgumentsOwner, readonly Argument[]][]
  const gates = listItems(given['feature-gates']).join(',')
  const apis = listItems(given['runtime-config']).join(',')
  return [
    ...(gates === '' ? [] : GATED.map(owner => [owner, [{ name: 'feature-gates', value: gates }]] as const)),
    ...(apis === '' ? [] : [['apiserver', [{ name: 'runtime-config', value: apis }]] as const]),
    ...found.filter(([, list]) => list.length > 0),
  ]
}

const V1BETA4 = 'kubeadm.k8s.io/v1beta4'

/** Versions of the documents that are not kubeadm's. */
const COMPONENTS: Readonly<Record<string, string>> = {
  KubeletConfiguration: 'kubelet.config.k8s.io/v1beta1',
  KubeProxyConfiguration: 'kubeproxy.config.k8s.io/v1alpha1',
}

/** The documents with the fields in one of the kind, which is added where there is none. */
function withFields(documents: Documents, kind: string, fields: JsonObject, note: Note): Documents {
  if (Object.keys(fields).length === 0) return documents
  const found = documents.find(document => document.kind === kind)
  if (found === undefined) {
    return [...documents, { apiVersion: COMPONENTS[kind] ?? kubeadmVersion(documents), kind, ...fields }]
  }
  const { value, notices } = mergeFields(`${kind} `, found, fields)
  note(notices)
  return documents.map(document => (document === found ? value : document))
}

// Documents of a file have to agree on the version.
function kubeadmVersion(documents: Documents): string {
  const versions = documents.map(({ apiVersion }) => String(apiVersion ?? ''))
  return versions.find(version => version.startsWith('kubeadm.k8s.io/')) ?? V1BETA4
}

function withArguments(documents: Documents, owner: ArgumentsOwner, list: readonly Argument[], note: Note): Documents {
  const [kind, path] = OWNERS[owner]
  const document = documents.find(other => other.kind === kind)
  const before = path.reduce<Json | undefined>((value, key) => (isObject(value) ? value[key] : undefined), document)
  const { value: merged, notices } = mergeArguments(owner, argumentsOf(before), list)
  note(notices)
  const isOurs = (name: Json | undefined): boolean => merged.some(item => item.name === name)
  const isList = String(document?.apiVersion ?? kubeadmVersion(documents)) === V1BETA4
  // What an input says nothing about stays as it is written, so that init can say what is wrong with it.
  const value: Json = isList
    ? [
        ...(Array.isArray(before) ? before : []).filter(item => !isObject(item) || !isOurs(item.name)),
        ...merged.map(({ name, value: text }) => ({ name, value: text })),
      ]
    : {
        ...Object.fromEntries(Object.entries(isObject(before) ? before : {}).filter(([name]) => !isOurs(name))),
        ...Object.fromEntries(merged.map(item => [item.name, item.value])),
      }
  const [last = '', ...outer] = [...path].reverse()
  const cleared = document === undefined ? documents : replaced(documents, document, path)
  const fields = outer.reduce<JsonObject>((inner, key) => ({ [key]: inner }), { [last]: value })
  return withFields(cleared, kind, fields, note)
}

/** Flags as either version of the file has them. */
function argumentsOf(value: Json | undefined): Argument[] {
  if (Array.isArray(value))
    return value.filter(isObject).map(item => ({ name: String(item.name), value: String(item.value ?? '') }))
  if (!isObject(value)) return []
  return Object.entries(value).map(([name, text]) => ({ name, value: String(text ?? '') }))
}

function replaced(documents: Documents, document: JsonObject, path: readonly string[]): Documents {
  return documents.map(other => (other === document ? without(other, path) : other))
}

function withGates(documents: Documents, text: string | undefined, note: Note): Documents {
  const gates = Object.fromEntries(
    listItems(text)
      .map(item => item.split('='))
      .map(([name = '', value]) => [name, isOn(value)] as const),
  )
  if (Object.keys(gates).length === 0) return documents
  return Object.keys(COMPONENTS).reduce<Documents>(
    (all, kind) => withFields(all, kind, { featureGates: gates }, note),
    documents,
  )
}
