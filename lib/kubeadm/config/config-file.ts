/** A configuration file as a whole, whatever it is for: `config validate`, `config migrate`, join, reset and upgrade. */
import { DEFAULT_VERSION } from '../../base/defaults.ts'
import type { Fault } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import type { ApiVersion, ClusterConfiguration, InitConfig, KubeadmKind } from '../../base/kubeadm.ts'
import { parseVersion, type Version } from '../../base/version.ts'
import { stringify } from '../../base/yaml.ts'
import type { HostFacts } from '../../machine/host/facts.ts'
import { carryComments } from './carried-comments.ts'
import { type ConfigSource, type Drafts, readSource, sourceName, unless } from './config-source.ts'
import type { Draft } from './draft-config.ts'
import { type Checked, placeFindings, refuse } from './findings.ts'
import { completeJoin, type JoinConfiguration } from './join-config.ts'
import { explainLines } from './line-hints.ts'
import { completeInitConfig, componentNotices, contextOf, strangers } from './load-config.ts'
import { isVersionName } from './named-versions.ts'
import { printCluster, printDocument, printInit } from './print-config.ts'
import { completeReset, type ResetConfiguration } from './reset-config.ts'
import { completeUpgrade, type UpgradeConfiguration } from './upgrade-config.ts'

/** What a file configures; kinds that are not in it are absent. */
export interface ConfigFile {
  readonly init?: InitConfig
  readonly join?: JoinConfiguration
  readonly reset?: ResetConfiguration
  readonly upgrade?: UpgradeConfiguration
  readonly notices: readonly string[]
}

const WRITTEN: ApiVersion = 'kubeadm.k8s.io/v1beta4'

/**
 * Checks every document of a file. Throws a ConfigError with all faults.
 * Source: kubeadm ValidateConfig (v1.36), stricter for files without any kind of kubeadm's.
 */
export function validateConfig(source: ConfigSource, facts: HostFacts): ConfigFile {
  const drafts = readSource(source)
  const file = checkedFile(drafts, source, facts)
  const components = file.init === undefined ? [] : componentNotices(file.init, facts)
  return { ...file, notices: [...drafts.deprecations, ...file.notices, ...components] }
}

/**
 * The file in the newest API version, with its defaults. What is not kubeadm's to convert (configurations of the kubelet
 * and kube-proxy, documents of other APIs) follows byte for byte, and comments go with their fields, so that a file can be
 * written over itself. Throws like validateConfig.
 * Source: kubeadm MigrateOldConfig (v1.36), without its defects.
 */
export function migrateConfig(
  source: ConfigSource,
  facts: HostFacts,
): { readonly text: string; readonly notices: readonly string[] } {
  const drafts = readSource(source)
  const { init, join, reset, upgrade, notices } = checkedFile(
    { ...drafts, foreign: othersTools(drafts) },
    source,
    facts,
  )
  const newest = parseVersion(DEFAULT_VERSION) as Version
  const written: readonly (readonly [kind: KubeadmKind, document: JsonObject | undefined])[] = [
    ['InitConfiguration', init && printInit(init.init, WRITTEN, newest)],
    ['ClusterConfiguration', init && printCluster(withName(init.cluster, drafts), init.init, WRITTEN, newest)],
    ['JoinConfiguration', join && printDocument('JoinConfiguration', join, WRITTEN, newest)],
    ['ResetConfiguration', reset && printDocument('ResetConfiguration', reset, WRITTEN, newest)],
    ['UpgradeConfiguration', upgrade && printDocument('UpgradeConfiguration', upgrade, WRITTEN, newest)],
  ]
  const lineEnd = /\r\n/.test(source.text ?? '') ? '\r\n' : '\n'
  const converted = written.flatMap(([kind, document]) => {
    if (document === undefined) return []
    const old = drafts.documents.find(one => one.kind === kind)?.source ?? ''
    return [carryComments(withoutStart(old), stringify(document)).replaceAll('\n', lineEnd)]
  })
  const kept = [...drafts.documents.filter(({ kind }) => COMPONENTS.includes(kind)), ...drafts.foreign]
    .sort((one, other) => lineOf(one) - lineOf(other))
    .map(({ source: text }) => withoutStart(text).replace(/(?<!\n)$/, lineEnd))
  const state = drafts.documents.some(({ kind }) => kind === 'ClusterStatus')
  const dropped = `config: ${sourceName(source)}: the ClusterStatus is left out: nothing reads it since kubeadm 1.22`
  return { text: [...converted, ...kept].join(`---${lineEnd}`), notices: [...notices, ...(state ? [dropped] : [])] }
}

// Which release a name stands for is for the day on which it is used.
function withName(cluster: ClusterConfiguration, { drafts }: Drafts): ClusterConfiguration {
  const { kubernetesVersion } = drafts.ClusterConfiguration ?? {}
  return typeof kubernetesVersion === 'string' && isVersionName(kubernetesVersion)
    ? { ...cluster, kubernetesVersion }
    : cluster
}

const COMPONENTS: readonly string[] = ['KubeletConfiguration', 'KubeProxyConfiguration']

function othersTools({ foreign }: Drafts): Drafts['foreign'] {
  return foreign.filter(({ advice }) => advice !== undefined)
}

function lineOf(document: Drafts['documents'][number] | Drafts['foreign'][number]): number {
  return 'line' in document ? document.line : document.lineOf([])
}

/** The text of a document without the mark that opens it, and without the mark that opens the file. */
function withoutStart(source: string): string {
  return source.replace(/^\ufeff?(?:---[^\n]*\n)?/, '')
}

/** The configuration of a join, from a file or defaults. Throws a ConfigError with all faults. */
export function loadJoinConfig(source: ConfigSource, facts: HostFacts): Checked<JoinConfiguration> {
  return loadOne('JoinConfiguration', source, facts, file => file.join)
}

/** The configuration of a reset. Throws like loadJoinConfig. */
export function loadResetConfig(source: ConfigSource, facts: HostFacts): Checked<ResetConfiguration> {
  return loadOne('ResetConfiguration', source, facts, file => file.reset)
}

/** The configuration of an upgrade. Throws like loadJoinConfig. */
export function loadUpgradeConfig(source: ConfigSource, facts: HostFacts): Checked<UpgradeConfiguration> {
  return loadOne('UpgradeConfiguration', source, facts, file => file.upgrade)
}

function loadOne<T>(
  kind: KubeadmKind,
  source: ConfigSource,
  facts: HostFacts,
  choose: (file: ConfigFile) => T | undefined,
): Checked<T> {
  const drafts = readSource(source)
  const draft = drafts.drafts[kind] ?? (source.text === undefined ? {} : undefined)
  if (draft === undefined && drafts.faults.length === 0) {
    refuse([missing(source, `no ${kind} found in the configuration file; add one, or leave --config out`)])
  }
  const file = checkedFile({ ...drafts, drafts: { [kind]: draft }, foreign: [] }, source, facts)
  const ignored = drafts.documents
    .filter(document => document.kind !== kind)
    .map(document => `config: ${sourceName(source)}: the ${document.kind} is not needed here; it is ignored`)
  return { value: choose(file) as T, findings: [], notices: [...drafts.deprecations, ...ignored, ...file.notices] }
}

function checkedFile(drafts: Drafts, source: ConfigSource, facts: HostFacts): ConfigFile {
  const { file, faults } = completeFile(drafts, source, facts)
  refuse(explainLines(faults, source.text))
  return file
}

function completeFile(
  drafts: Drafts,
  source: ConfigSource,
  facts: HostFacts,
): { readonly file: ConfigFile; readonly faults: readonly Fault[] } {
  const context = contextOf(drafts, source, facts)
  const { InitConfiguration, ClusterConfiguration, JoinConfiguration, ResetConfiguration, UpgradeConfiguration } =
    drafts.drafts
  const init = InitConfiguration || ClusterConfiguration ? completeInitConfig(drafts, context) : undefined
  const join = JoinConfiguration && completeJoin(JoinConfiguration as Draft<JoinConfiguration>, context, source.exists)
  const reset = ResetConfiguration && completeReset(ResetConfiguration as Draft<ResetConfiguration>, context)
  const upgrade = UpgradeConfiguration && completeUpgrade(UpgradeConfiguration as Draft<UpgradeConfiguration>)
  const others = [join, reset, upgrade].filter(one => one !== undefined)
  const findings = unless(
    drafts.findings,
    others.flatMap(one => one.findings),
  )
  const faults = [
    ...(init?.faults ?? drafts.faults),
    ...placeFindings(findings, drafts.origins),
    ...strangers(drafts.foreign, source),
  ]
  const nothing = faults.length === 0 && init === undefined && others.length === 0
  return {
    file: {
      ...(init && { init: init.config }),
      ...(join && { join: join.value }),
      ...(reset && { reset: reset.value }),
      ...(upgrade && { upgrade: upgrade.value }),
      notices: [...(init?.notices ?? drafts.notices), ...others.flatMap(one => one.notices)],
    },
    faults: nothing
      ? [missing(source, 'there is no configuration of kubeadm in it; add one, e.g. a ClusterConfiguration')]
      : faults,
  }
}

function missing(source: ConfigSource, reason: string): Fault {
  return { file: sourceName(source), field: '', reason }
}
