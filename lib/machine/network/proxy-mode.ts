/** Ways in which kube-proxy programs Services: which of them a release has, and which the kernel can carry. */

import { Reason } from '../../base/errors.ts'
import { isObject, type JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { nearest } from '../../base/nearest.ts'
import { formatVersion, isSince, type Version } from '../../base/version.ts'
import { featureOf, featureState, type Kernel, type KernelFeature } from '../host/kernel-features.ts'
import { kernelRelease } from '../host/kernel-modules.ts'

export interface ProxyMode {
  readonly name: string
  readonly about: string
  /** First release that has it, and the first that has it no more. */
  readonly since?: string
  readonly until?: string
  /** Feature gate of kube-proxy that has to be on in releases before `defaultSince`. */
  readonly gate?: { readonly name: string; readonly defaultSince: string }
  readonly deprecated?: { readonly since: string; readonly advice: string }
  /** Oldest kernel. */
  readonly kernel?: string
  /** Modules that the kernel has to have, loaded or built in; of a group one is enough. */
  readonly modules: readonly (readonly string[])[]
  /** Programs of the host that reset needs to take away what this mode leaves, by their names in the table of packages. */
  readonly programs: readonly string[]
}

/**
 * Source: KEP-3866 (nftables: alpha 1.29, beta 1.31, stable 1.33; kernel check in nftables/supported.go), KEP-5495
 * (ipvs: deprecated 1.35), CHANGELOG-1.26 (userspace removed), ipvs/README.md.
 */
export const PROXY_MODES: readonly ProxyMode[] = [
  {
    name: 'iptables',
    about: 'a rule per Service; what kube-proxy takes by default',
    modules: [
      ['nft_compat', 'iptable_nat'],
      ['xt_comment'],
      ['xt_conntrack'],
      ['xt_addrtype'],
      ['xt_statistic'],
      ['xt_nat'],
      ['xt_mark'],
    ],
    programs: ['iptables'],
  },
  {
    name: 'nftables',
    about: 'a table with maps instead of chains of rules; quicker with many Services',
    since: '1.29',
    gate: { name: 'NFTablesProxyMode', defaultSince: '1.31' },
    kernel: '5.13',
    modules: ['nf_tables', 'nft_ct', 'nft_nat', 'nft_masq', 'nft_fib', 'nft_numgen', 'nft_reject'].map(name => [name]),
    programs: ['iptables', 'nft'],
  },
  {
    name: 'ipvs',
    about: "the kernel's load balancer, with sets of addresses",
    deprecated: { since: '1.35', advice: 'nftables is its successor' },
    modules: ['ip_vs', 'ip_set', 'xt_set', 'dummy', 'nf_conntrack'].map(name => [name]),
    programs: ['iptables', 'ipset', 'ipvsadm'],
  },
  {
    name: 'userspace',
    about: 'a process between Pods',
    until: '1.26',
    modules: [['xt_comment'], ['xt_nat']],
    programs: ['iptables'],
  },
]

/** What `mode` of a KubeProxyConfiguration says; empty is iptables, as kube-proxy on Linux has it. */
export function proxyModeName(document: JsonObject): string {
  const { mode } = document
  return typeof mode === 'string' && mode !== '' ? mode : 'iptables'
}

/** Modules that a mode asks of the kernel, with the scheduler's own for ipvs (rr when none is named). */
export function wantedModules(mode: ProxyMode, document: JsonObject): readonly (readonly string[])[] {
  return mode.name === 'ipvs' ? [...mode.modules, ...ipvsSchedulers(document).map(name => [name])] : mode.modules
}

/** Modules of the schedulers: the usual three, and the configured one. Source: ipvs/README.md (v1.36). */
export function ipvsSchedulers(document: JsonObject): string[] {
  const { scheduler } = isObject(document.ipvs) ? document.ipvs : {}
  return typeof scheduler === 'string' && scheduler !== '' ? [`ip_vs_${scheduler}`] : ['ip_vs_rr']
}

/** What keeps a release of Kubernetes from running kube-proxy in its configured mode; undefined when nothing does. */
export function modeFault(document: JsonObject, version: Version): string | undefined {
  const name = proxyModeName(document)
  const names = PROXY_MODES.filter(mode => isOffered(mode, document, version)).map(mode => mode.name)
  const mode = PROXY_MODES.find(other => other.name === name)
  const release = formatVersion(version)
  if (mode === undefined) {
    const hint = nearest(name, names)
    return `there is no such mode; ${hint === undefined ? `use ${orList(names)}` : `did you mean "${hint}"? There are ${names.join(', ')}`}`
  }
  if (mode.since !== undefined && !isSince(version, mode.since)) {
    return `it came with Kubernetes ${mode.since} and this is ${release}; use ${orList(names)}`
  }
  if (mode.until !== undefined && isSince(version, mode.until)) {
    return `it went with Kubernetes ${mode.until} and this is ${release}; use ${orList(names)}`
  }
  if (!isOffered(mode, document, version)) {
    return `${release} has it behind a feature gate; set featureGates.${mode.gate?.name} to true in the KubeProxyConfiguration, or use ${orList(names)}`
  }
  return undefined
}

function isOffered({ since, until, gate }: ProxyMode, document: JsonObject, version: Version): boolean {
  if (since !== undefined && !isSince(version, since)) return false
  if (until !== undefined && isSince(version, until)) return false
  if (gate === undefined) return true
  const gates = isObject(document.featureGates) ? document.featureGates : {}
  return isSince(version, gate.defaultSince) ? gates[gate.name] !== false : gates[gate.name] === true
}

/** What of a mode the kernel lacks, in words; empty when it can carry it. What cannot be found out counts as there. */
export function kernelLacks(mode: ProxyMode, document: JsonObject, kernel: Kernel): string[] {
  const release = kernelRelease(kernel.host)
  const old =
    mode.kernel !== undefined && isOlder(release, mode.kernel)
      ? [`it needs Linux ${mode.kernel} or later and this is ${release}`]
      : []
  const missing = wantedModules(mode, document)
    .filter(group => group.every(name => featureState(featureOf(name), kernel) === 'missing'))
    .map(group => group.map(name => nameAndOption(featureOf(name))).join(' and '))
  return [...old, ...(missing.length === 0 ? [] : [`this kernel lacks ${missing.join(', ')}`])]
}

function nameAndOption({ module, option }: KernelFeature): string {
  return `${module} (CONFIG_${option})`
}

function isOlder(release: string, wanted: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map(part => Number.parseInt(part, 10))
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number)
  return release !== '' && (major < wantedMajor || (major === wantedMajor && minor < wantedMinor))
}

/** The mode of a configuration; undefined when kube-proxy is not part of the cluster, or the mode is unknown. */
export function proxyModeOf({ cluster, kubeProxy }: Pick<InitConfig, 'cluster' | 'kubeProxy'>): ProxyMode | undefined {
  if (cluster.proxy.disabled) return undefined
  return PROXY_MODES.find(({ name }) => name === proxyModeName(kubeProxy.document))
}

/**
 * Gives a notice where the configured mode has no future. Throws a Reason when the release or the kernel
 * cannot run it; that names the modes that would work. Without a kernel only the release is asked.
 */
export function checkProxyMode(config: InitConfig, kernel?: Kernel): string[] {
  if (config.cluster.proxy.disabled) return []
  const { document } = config.kubeProxy
  const cannot = `cannot run kube-proxy in mode "${proxyModeName(document)}"`
  const fault = modeFault(document, config.version)
  if (fault !== undefined) throw new Reason(`${cannot}: ${fault}`)
  const mode = proxyModeOf(config)
  if (mode === undefined) return []
  const lacks = kernel === undefined ? [] : kernelLacks(mode, document, kernel)
  if (kernel !== undefined && lacks.length > 0) {
    const usable = PROXY_MODES.filter(
      other => isOffered(other, document, config.version) && kernelLacks(other, document, kernel).length === 0,
    ).map(({ name }) => name)
    const advice =
      usable.length === 0
        ? 'no mode works on this kernel; leave kube-proxy out with --skip-phases addon/kube-proxy'
        : `set mode to ${orList(usable)} in the KubeProxyConfiguration`
    throw new Reason(`${cannot}: ${lacks.join('; ')}; ${advice}`)
  }
  const { deprecated } = mode
  if (deprecated === undefined || !isSince(config.version, deprecated.since)) return []
  return [
    `[addons] Mode ${mode.name} of kube-proxy is deprecated since Kubernetes ${deprecated.since}: ${deprecated.advice}`,
  ]
}

function orList(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}
