/** What a cluster asks of the kernel, and whether the kernel has it: built in, loaded, loadable, or not at all. */

import type { HostSource } from './host-source.ts'
import { type KernelModules, kernelRelease, readModules } from './kernel-modules.ts'

export interface KernelFeature {
  readonly module: string
  /** The kernel's build option, without `CONFIG_`. */
  readonly option: string
  /** A file that is there when the feature is; with `word`, one of the words in it. */
  readonly evidence?: { readonly path: string; readonly word?: string }
  /** What does not work without it. */
  readonly lost: string
}

const RULES = 'kube-proxy cannot write its rules'

/**
 * Source: kubernetes.io, container runtimes and virtual IPs; kube-proxy ipvs/README.md, iptables/proxier.go and
 * nftables/proxier.go (v1.36); Kconfig of Linux 6.18.
 */
export const KERNEL_FEATURES: readonly KernelFeature[] = [
  {
    module: 'overlay',
    option: 'OVERLAY_FS',
    evidence: { path: '/proc/filesystems', word: 'overlay' },
    lost: 'containerd cannot put container images together',
  },
  {
    module: 'br_netfilter',
    option: 'BRIDGE_NETFILTER',
    evidence: { path: '/proc/sys/net/bridge/bridge-nf-call-iptables' },
    lost: 'Services do not work between Pods on the same bridge',
  },
  {
    module: 'nf_conntrack',
    option: 'NF_CONNTRACK',
    evidence: { path: '/proc/sys/net/netfilter/nf_conntrack_max' },
    lost: 'Services do not work: answers do not find their way back',
  },
  { module: 'nf_tables', option: 'NF_TABLES', lost: RULES },
  { module: 'nft_compat', option: 'NFT_COMPAT', lost: RULES },
  { module: 'nft_ct', option: 'NFT_CT', lost: RULES },
  { module: 'nft_nat', option: 'NFT_NAT', lost: RULES },
  { module: 'nft_masq', option: 'NFT_MASQ', lost: RULES },
  { module: 'nft_fib', option: 'NFT_FIB', lost: RULES },
  { module: 'nft_numgen', option: 'NFT_NUMGEN', lost: RULES },
  { module: 'nft_reject', option: 'NFT_REJECT', lost: RULES },
  { module: 'iptable_nat', option: 'IP_NF_NAT', lost: RULES },
  { module: 'xt_comment', option: 'NETFILTER_XT_MATCH_COMMENT', lost: RULES },
  { module: 'xt_conntrack', option: 'NETFILTER_XT_MATCH_CONNTRACK', lost: RULES },
  { module: 'xt_addrtype', option: 'NETFILTER_XT_MATCH_ADDRTYPE', lost: RULES },
  {
    module: 'xt_statistic',
    option: 'NETFILTER_XT_MATCH_STATISTIC',
    lost: 'a Service with several endpoints does not work',
  },
  { module: 'xt_nat', option: 'NETFILTER_XT_NAT', lost: RULES },
  { module: 'xt_mark', option: 'NETFILTER_XT_MARK', lost: RULES },
  { module: 'xt_set', option: 'NETFILTER_XT_SET', lost: 'kube-proxy cannot match its sets of addresses' },
  { module: 'ip_set', option: 'IP_SET', lost: 'kube-proxy cannot make its sets of addresses' },
  { module: 'dummy', option: 'DUMMY', lost: 'kube-proxy cannot make kube-ipvs0, which holds Service addresses' },
  {
    module: 'ip_vs',
    option: 'IP_VS',
    evidence: { path: '/proc/net/ip_vs' },
    lost: 'kube-proxy cannot make virtual servers',
  },
  { module: 'ip_vs_rr', option: 'IP_VS_RR', lost: 'no scheduler rr' },
  { module: 'ip_vs_wrr', option: 'IP_VS_WRR', lost: 'no scheduler wrr' },
  { module: 'ip_vs_sh', option: 'IP_VS_SH', lost: 'no scheduler sh' },
]

/** `unknown` where the machine shows neither its kernel's configuration nor its modules, as in many containers. */
export type FeatureState = 'present' | 'loadable' | 'missing' | 'unknown'

/** Where kernels leave their configuration. Source: k8s.io/system-validators, kernel_validator.go (v1.12). */
const CONFIG_FILES: readonly string[] = [
  '/proc/config.gz',
  '/boot/config-RELEASE',
  '/usr/lib/modules/RELEASE/config',
  '/lib/modules/RELEASE/config',
  '/usr/lib/ostree-boot/config-RELEASE',
  '/usr/lib/kernel/config-RELEASE',
  '/usr/src/linux-RELEASE/.config',
  '/usr/src/linux/.config',
  '/usr/src/linux-headers-RELEASE/.config',
  '/lib/modules/RELEASE/build/.config',
]

/** Options in the text of a kernel configuration, without `CONFIG_`; what is not set is left out. */
export function kernelOptions(text: string): ReadonlyMap<string, string> {
  const rows = text.split('\n').map(line => /^CONFIG_(\w+)=(.*)$/.exec(line.trim()))
  return new Map(rows.flatMap(row => (row === null ? [] : [[row[1] ?? '', row[2] ?? ''] as const])))
}

/** What is known of the running kernel, read once. */
export interface Kernel {
  readonly modules: KernelModules
  /** undefined when the machine does not show them. */
  readonly options?: ReadonlyMap<string, string>
  readonly host: HostSource
}

/** Reads the running kernel; its options when they are first asked for: unpacking them takes longer than all the rest. */
export function readKernel(host: HostSource): Kernel {
  const modules = readModules(host)
  let options: ReadonlyMap<string, string> | undefined
  let isRead = false
  return {
    host,
    modules,
    get options() {
      if (!isRead) options = readOptions(host)
      isRead = true
      return options
    },
  }
}

function readOptions(host: HostSource): ReadonlyMap<string, string> | undefined {
  const release = kernelRelease(host)
  for (const file of CONFIG_FILES) {
    const text = host.read(file.replaceAll('RELEASE', release))
    if (text?.includes('CONFIG_')) return kernelOptions(text)
  }
  return undefined
}

/** Whether the kernel has a feature. What runs counts more than what files say. */
export function featureState({ module, option, evidence }: KernelFeature, kernel: Kernel): FeatureState {
  const { modules, host } = kernel
  if (modules.loaded.has(module) || modules.builtin.has(module) || isEvident(host, evidence)) return 'present'
  const { options } = kernel
  const built = options?.get(option)
  if (built === 'y') return 'present'
  if (modules.loadable.has(module)) return 'loadable'
  // The folder of modules may be packed away in a container: then the kernel's word has to do.
  if (built === 'm') return modules.isKnown ? 'missing' : 'loadable'
  return options !== undefined || modules.isKnown ? 'missing' : 'unknown'
}

function isEvident(host: HostSource, evidence: KernelFeature['evidence']): boolean {
  if (evidence === undefined) return false
  if (evidence.word === undefined) return host.kind(evidence.path) !== undefined
  return (host.read(evidence.path) ?? '').split(/\s+/).includes(evidence.word)
}

/** A feature by the name of its module, also of a scheduler that has no row. */
export function featureOf(name: string): KernelFeature {
  return (
    KERNEL_FEATURES.find(({ module }) => module === name) ?? {
      module: name,
      option: name.toUpperCase(),
      lost: `no ${name}`,
    }
  )
}
