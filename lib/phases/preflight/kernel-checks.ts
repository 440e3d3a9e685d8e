/** Checks of the kernel: its release, what it is built with, control groups, security modules. */

import { Reason } from '../../base/errors.ts'
import { LAYOUT } from '../../base/paths.ts'
import { formatVersion, isSince, type Since, valueSince } from '../../base/version.ts'
import type { Host } from '../../machine/host/host.ts'
import { featureOf, featureState, type KernelFeature } from '../../machine/host/kernel-features.ts'
import { mountOf } from '../../machine/host/mount-table.ts'
import { checkProxyMode, proxyModeName } from '../../machine/network/proxy-mode.ts'
import { type Check, error, handled, ok, unknown, type Verdict, type Wanted, warning } from './check.ts'
import { KNOWN_ISSUES } from './known-issues.ts'
import { refusesCgroupV1, runtimePlan } from './runtime-checks.ts'

interface KernelRule {
  readonly pattern: RegExp
  readonly status: 'error' | 'warning'
  readonly advice: string
}

/** Source: k8s.io/system-validators types_unix.go; PRs 37 (1.32), 48 and 49 (v1.10.1, in kubeadm 1.34). */
const KERNELS: Since<KernelRule> = {
  '1.18': { pattern: /^(3\.[1-9]\d|[4-9]\.|[1-9]\d+\.)/, status: 'error', advice: 'use Linux 3.10 or later' },
  '1.32': { pattern: /^(4\.19|4\.[2-9]\d|[5-9]\.|[1-9]\d+\.)/, status: 'error', advice: 'use Linux 4.19 or later' },
  '1.34': {
    pattern: /^(5\.4\.|5\.10\.|5\.15\.|[6-9]\.|[1-9]\d+\.)/,
    status: 'warning',
    advice: 'use 5.4, 5.10, 5.15 or 6.x',
  },
}

/** Build options without which kubeadm refuses. Source: k8s.io/system-validators, kernel specs; a second name is an older one. */
const REQUIRED_OPTIONS: readonly (readonly string[])[] = [
  ['NAMESPACES'],
  ['NET_NS'],
  ['PID_NS'],
  ['IPC_NS'],
  ['UTS_NS'],
  ['CPUSETS'],
  ['MEMCG'],
  ['INET'],
  ['EXT4_FS'],
  ['PROC_FS'],
  ['NETFILTER_XT_TARGET_REDIRECT', 'IP_NF_TARGET_REDIRECT'],
  ['NETFILTER_XT_MATCH_COMMENT'],
  ['FAIR_GROUP_SCHED'],
  ['CGROUPS'],
  ['CGROUP_PIDS'],
  ['CGROUP_SCHED'],
]
const REQUIRED_BY_CGROUPS: Readonly<Record<1 | 2, readonly (readonly string[])[]>> = {
  1: [['CGROUP_CPUACCT'], ['CGROUP_DEVICE'], ['CGROUP_FREEZER']],
  2: [['CGROUP_BPF']],
}

/** Control group controllers without which kubeadm refuses; v2 has devices and freezer always. */
const CONTROLLERS: Readonly<Record<1 | 2, readonly string[]>> = {
  1: ['cpu', 'cpuacct', 'cpuset', 'devices', 'freezer', 'memory', 'pids'],
  2: ['cpu', 'cpuset', 'memory', 'pids'],
}

/** What the Pod network and Services ask of a kernel beside kube-proxy's mode. */
const FEATURES: readonly KernelFeature[] = [
  { module: 'bridge', option: 'BRIDGE', lost: 'Pods have no bridge to connect to' },
  { module: 'veth', option: 'VETH', lost: 'Pods have no interface' },
  featureOf('nf_conntrack'),
]

function kernelVerdicts({ kernelRelease, kernel, machine, controllers }: Host, { config }: Wanted): Verdict[] {
  if (kernelRelease === '') return [error('this is not Linux, or it does not show its kernel', 'use Linux, with /proc')]
  const rule = valueSince(KERNELS, config.kubeadm)
  const isOld = rule !== undefined && !rule.pattern.test(kernelRelease)
  const version = machine.cgroupVersion
  const required = [...REQUIRED_OPTIONS, ...REQUIRED_BY_CGROUPS[version]]
  const absent =
    kernel.options === undefined ? [] : required.filter(names => !names.some(name => kernel.options?.has(name)))
  const lacking = CONTROLLERS[version].filter(name => !controllers.includes(name))
  return [
    ...(isOld ? [{ status: rule.status, found: `Linux ${kernelRelease}`, fix: rule.advice }] : []),
    ...(absent.length === 0
      ? []
      : [
          error(
            `the kernel is built without ${absent.map(([name]) => `CONFIG_${name}`).join(', ')}`,
            'use a kernel that has them',
          ),
        ]),
    ...(lacking.length === 0
      ? []
      : [
          error(
            `control groups lack ${lacking.join(', ')}`,
            'switch them on at boot, e.g. cgroup_enable=memory on the kernel command line',
          ),
        ]),
    ...(kernel.options === undefined
      ? [unknown('the kernel does not show what it is built with', 'kubeadm would refuse; init goes by what works')]
      : []),
  ]
}

function cgroupVerdict({ machine, mounts }: Host, { config }: Wanted): Verdict {
  const { failCgroupV1 } = config.kubelet.document
  const release = formatVersion(config.version)
  if (!mounts.some(({ type }) => type === 'cgroup' || type === 'cgroup2')) {
    return error('no control groups are mounted', 'mount them, or start this container with --privileged')
  }
  if (machine.cgroupVersion === 2) {
    return isSince(config.version, '1.19')
      ? ok('v2')
      : error(
          `v2, which ${release} does not know`,
          'boot with systemd.unified_cgroup_hierarchy=0, or use 1.19 or later',
        )
  }
  if (!refusesCgroupV1(config.version)) return ok('v1')
  if (failCgroupV1 === true) {
    return error(
      'v1, and failCgroupV1 is true in the KubeletConfiguration',
      'leave it out, or boot with systemd.unified_cgroup_hierarchy=1',
    )
  }
  return handled(`v1, which ${release} refuses by default`, 'init sets failCgroupV1 to false')
}

function overlayVerdict(host: Host, wanted: Wanted): Verdict {
  const { kernel, mounts } = host
  const { root } = LAYOUT.containerd
  const isOurs = runtimePlan(host, wanted).kind === 'private'
  if (isOurs && mountOf(mounts, root)?.type === 'overlay') {
    return error(
      `"${root}" would itself be on an overlay, which overlayfs refuses`,
      `mount a volume at "${LAYOUT.state}"`,
    )
  }
  const state = featureState(featureOf('overlay'), kernel)
  if (state === 'missing') return error('the kernel lacks overlayfs', 'use a kernel with CONFIG_OVERLAY_FS')
  if (state === 'unknown') return unknown('whether the kernel has overlayfs cannot be seen', 'try modprobe overlay')
  return ok(state)
}

function featureVerdict({ kernel }: Host): Verdict {
  const states = FEATURES.map(feature => ({ feature, state: featureState(feature, kernel) }))
  const missing = states.filter(({ state }) => state === 'missing').map(({ feature }) => feature)
  if (missing.length > 0) {
    const found = missing.map(({ option, lost }) => `CONFIG_${option}: ${lost}`).join('; ')
    return error(`the kernel lacks ${found}`, 'use a kernel that has it')
  }
  const unseen = states.filter(({ state }) => state === 'unknown').map(({ feature }) => feature.module)
  if (unseen.length > 0) return unknown(`whether the kernel has ${unseen.join(', ')} cannot be seen`, 'init tries')
  return ok(FEATURES.map(({ module }) => module).join(', '))
}

function proxyVerdicts({ kernel }: Host, { config }: Wanted): Verdict[] {
  if (config.cluster.proxy.disabled) return []
  try {
    const notices = checkProxyMode(config, kernel).map(notice => notice.replace(/^\[addons\] /, ''))
    if (notices.length > 0)
      return notices.map(notice => warning(notice, 'set another mode in the KubeProxyConfiguration'))
    const mode = proxyModeName(config.kubeProxy.document)
    const isSeen = kernel.options !== undefined || kernel.modules.isKnown
    return [isSeen ? ok(mode) : unknown(`whether the kernel can carry mode ${mode} cannot be seen`, 'init tries')]
  } catch (fault) {
    if (!(fault instanceof Reason)) throw fault
    const cut = fault.message.lastIndexOf('; ')
    return [error(fault.message.slice(0, cut), fault.message.slice(cut + 2))]
  }
}

export const KERNEL_CHECKS: readonly Check[] = [
  {
    name: 'SystemVerification',
    about: 'release and build options of the kernel, controllers of control groups',
    why: 'the kubelet and the runtime need them',
    severity: 'error',
    look: (host, wanted) => {
      const verdicts = kernelVerdicts(host, wanted)
      return verdicts.length > 0 ? verdicts : ok(`Linux ${host.kernelRelease}`)
    },
  },
  {
    name: 'Cgroups',
    about: 'a version of control groups that the release takes',
    why: 'the kubelet keeps Pods in them',
    severity: 'error',
    ours: true,
    look: cgroupVerdict,
  },
  {
    name: 'Overlay',
    about: 'overlayfs where images are stored',
    why: 'containerd puts images together with it',
    severity: 'error',
    ours: true,
    look: overlayVerdict,
  },
  {
    name: 'KernelFeatures',
    about: 'bridge, veth pairs and connection tracking',
    why: 'the Pod network is made of them',
    severity: 'error',
    ours: true,
    look: (host, { cni }) => (cni === 'none' ? undefined : featureVerdict(host)),
  },
  {
    name: 'ProxyMode',
    about: "kube-proxy's mode, by release and kernel",
    why: 'without kube-proxy no Service works, not even DNS',
    severity: 'error',
    ours: true,
    look: proxyVerdicts,
  },
  {
    name: 'SELinux',
    about: 'SELinux is off or permissive',
    why: 'containers may not read what the kubelet mounts into them',
    severity: 'warning',
    ours: true,
    look: ({ selinux }) =>
      selinux === 'Enforcing'
        ? warning('enforcing', 'prepare makes it permissive (setenforce 0), now and at boot')
        : ok(selinux === undefined ? 'off' : 'permissive'),
  },
  {
    name: 'AppArmor',
    about: 'the program that loads profiles is there where AppArmor is on',
    why: "without it containers run without the runtime's profile",
    severity: 'warning',
    ours: true,
    look: ({ appArmor, programs }) => {
      if (!appArmor) return ok('off')
      return programs.apparmor_parser === undefined
        ? warning('on, and apparmor_parser is not there', 'install apparmor')
        : ok('on')
    },
  },
  {
    name: 'RunnerImage',
    about: 'no kernel or runner image that is known to break clusters',
    why: 'some did, for days, for everybody',
    severity: 'warning',
    ours: true,
    look: ({ kernelRelease, environment, osName }, { config: { cluster } }) => {
      const { podSubnet = '', serviceSubnet } = cluster.networking
      const hasIpv6 = `${podSubnet}${serviceSubnet}`.includes(':')
      const { ImageOS, ImageVersion } = environment
      const image = ImageOS === undefined ? osName : `${ImageOS} ${ImageVersion ?? ''}`.trim()
      const issues = KNOWN_ISSUES.filter(
        ({ kernel, ipv6 }) => kernelRelease.startsWith(kernel) && (ipv6 === undefined || hasIpv6),
      )
      if (issues.length === 0) return ok(`${image}: nothing known against it`)
      return issues.map(({ what, fix, source }) => warning(`Linux ${kernelRelease}: ${what} (${source})`, fix))
    },
  },
]
