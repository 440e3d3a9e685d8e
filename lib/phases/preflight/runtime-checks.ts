/** Checks of the container runtime that an init would take, or start. */

import type { JsonObject } from '../../base/json.ts'
import { NODE } from '../../base/paths.ts'
import { isSince, type Version } from '../../base/version.ts'
import type { Host } from '../../machine/host/host.ts'
import type { RuntimeAnswer } from '../../machine/host/host-source.ts'
import { startsStaticPods } from '../../machine/host/machine.ts'
import { isFirst, NETWORK_FILES } from '../../machine/network/cni.ts'
import { clearLinks, leftoverNetworks, networkOfFile } from '../../machine/network/other-networks.ts'
import { CRI_ADVICE, candidatesOf, criFault, isTaken, servedBy } from '../../supply/runtime/runtime-choice.ts'
import { type Check, error, handled, ok, unknown, type Verdict, type Wanted, warning } from './check.ts'

type Serving = Exclude<RuntimeAnswer, { fault: string }>

/** What an init would use: a runtime that serves CRI, or a containerd of its own. */
export type RuntimePlan =
  | { readonly kind: 'socket'; readonly socket: string; readonly runtime: Serving }
  | { readonly kind: 'private' }
  | { readonly kind: 'fault'; readonly socket: string; readonly fault: string }

/** As chooseRuntime decides it, over what was read. */
export function runtimePlan({ facts, runtimes, machine }: Host, { runtime: wanted }: Wanted): RuntimePlan {
  const candidates = candidatesOf(wanted, facts.criSockets)
  for (const socket of candidates.sockets) {
    const answer = runtimes[socket] ?? { fault: 'nothing answers there' }
    if ('fault' in answer) {
      if (candidates.isNamed) return { kind: 'fault', socket, fault: answer.fault }
    } else if (isTaken(answer, candidates, machine)) return { kind: 'socket', socket, runtime: answer }
  }
  return { kind: 'private' }
}

const PRIVATE_PROGRAMS: readonly (readonly [program: string, packageName: string])[] = [
  ['containerd', 'containerd'],
  ['ctr', 'containerd'],
  ['runc', 'runc'],
]

/** Version of the containerd on the machine: `1.6.20` of `containerd github.com/... 1.6.20~ds1 ...`. */
export function containerdVersion(text: string | undefined): string | undefined {
  return /\sv?(\d+\.\d+\.\d+)/.exec(text ?? '')?.[1]
}

function lookForRuntime(host: Host, wanted: Wanted): Verdict {
  const { version } = wanted.config
  const plan = runtimePlan(host, wanted)
  if (plan.kind === 'fault') {
    if (host.uid !== 0) return unknown(`"${plan.socket}" does not answer this user: ${plan.fault}`)
    const [found = ''] = plan.fault.split('; ')
    const fix = /does not serve CRI/.test(found)
      ? "switch its CRI plugin on (disabled_plugins in containerd's configuration), or use --runtime private"
      : 'start that runtime, or use --runtime private'
    return error(found, fix)
  }
  if (plan.kind === 'socket') {
    const { name, version: release } = plan.runtime
    const fault = criFault(plan.runtime, version.minor)
    if (!startsStaticPods(plan.runtime, host.machine)) {
      return error(
        `${name} ${release} at ${plan.socket} gives static Pods a low OOM score, which this machine does not allow (no CAP_SYS_RESOURCE)`,
        'set restrict_oom_score_adj = true in its configuration and restart it, or use --runtime private',
      )
    }
    return fault === undefined ? ok(`${name} ${release} at ${plan.socket}`) : error(fault, CRI_ADVICE)
  }
  const { sockets } = candidatesOf(wanted.runtime, host.facts.criSockets)
  if (host.uid !== 0 && sockets.length > 0) {
    return unknown(`${sockets.join(', ')} may not be asked`)
  }
  const missing = PRIVATE_PROGRAMS.filter(([program]) => host.programs[program] === undefined)
  if (missing.length > 0) {
    const packages = [...new Set(missing.map(([, packageName]) => packageName))].join(' and ')
    const names = missing.map(([program]) => program).join(', ')
    const found = `no runtime serves CRI, and for one of its own init lacks ${names}`
    return wanted.install
      ? handled(found, `init installs ${packages}`)
      : error(found, `install ${packages}, or add --install`)
  }
  const release = containerdVersion(host.versions.containerd)
  const [cri] = servedBy(release ?? '')
  const fault = release && cri ? criFault({ name: 'containerd', version: release, cri }, version.minor) : undefined
  if (fault !== undefined) return error(fault, 'install a containerd that fits, or use another --kubernetes-version')
  const isUnfit = sockets.some(socket => 'name' in (host.runtimes[socket] ?? {}))
  return handled(
    isUnfit
      ? 'the runtime that serves CRI cannot start static Pods here: no CAP_SYS_RESOURCE, and restrict_oom_score_adj is off'
      : 'no runtime serves CRI on a known socket',
    `init starts ${host.programs.containerd}${release === undefined ? '' : ` ${release}`} on a socket of its own`,
  )
}

/** The driver that the kubelet's configuration asks for. */
function wantedDriver({ config }: Wanted): unknown {
  return (config.kubelet.document as JsonObject).cgroupDriver
}

function configVerdict(host: Host, wanted: Wanted): Verdict {
  const { cniConfigs } = host
  const plan = runtimePlan(host, wanted)
  if (cniConfigs.length === 0) return ok('none')
  const owners = [...new Set(cniConfigs.map(networkOfFile).filter(name => name !== undefined))]
  const found = `${NODE.cniConf} has ${cniConfigs.join(', ')}${owners.length > 0 ? ` (${owners.join(', ')})` : ''}`
  if (plan.kind === 'private') return handled(found, 'the containerd of kubestep has a folder of its own')
  if (wanted.cni === 'none') return ok(found)
  const name = NETWORK_FILES.find(own => isFirst(own, cniConfigs))
  const first = [...cniConfigs].sort()[0]
  return name === undefined
    ? error(
        `${found}: nothing of ours can come before that`,
        `move it away: mv ${NODE.cniConf}/${first} /root/; or use it with --cni none`,
      )
    : handled(found, `init puts ${name} before it, which reset takes away; --cni none uses what is there`)
}

/** Interfaces of a network that has no cluster any more, or of one that is about to be used. */
function leftoverVerdicts({ links }: Host, { cni }: Wanted): Verdict[] {
  const left = leftoverNetworks(links)
  if (left.length === 0 || cni === 'none') return []
  const names = left.map(({ name, links: own }) => `${own.join(', ')} (${name})`).join(', ')
  const command = clearLinks(left.flatMap(({ links: own }) => own))
  return [
    warning(`${names} stand here, of another Pod network`, `where its cluster is gone, this clears them: ${command}`),
  ]
}

export const RUNTIME_CHECKS: readonly Check[] = [
  {
    name: 'CRI',
    about: 'a runtime that serves the CRI version of the release, or the programs to start one',
    why: 'without a runtime no container starts',
    severity: 'error',
    look: lookForRuntime,
  },
  {
    name: 'ContainerRuntimeVersion',
    about: 'the runtime tells its cgroup driver (CRI RuntimeConfig)',
    // Source: k/k PRs 134906, 139122.
    why: 'a kubelet from 1.38 on no longer goes by its own configuration',
    severity: 'warning',
    since: '1.35',
    look: (host, wanted) => {
      const plan = runtimePlan(host, wanted)
      const release =
        plan.kind === 'socket' ? plan.runtime.version.replace(/^v/, '') : containerdVersion(host.versions.containerd)
      if (plan.kind === 'fault' || release === undefined) return undefined
      const name = plan.kind === 'socket' ? plan.runtime.name : 'containerd'
      const driver = plan.kind === 'socket' ? plan.runtime.cgroupDriver : 'known'
      // containerd's driver can be had in another way as well, before 2.0.
      if (name === 'containerd' ? Number.parseInt(release, 10) >= 2 : driver !== undefined)
        return ok(`${name} ${release} tells it`)
      const found = `${name} ${release} does not tell its cgroup driver`
      return driver === undefined
        ? warning(found, 'see that cgroupDriver is the same in both')
        : handled(found, "init gives the kubelet the runtime's driver; Kubernetes 1.38 will need a newer runtime")
    },
  },
  {
    name: 'CgroupDriver',
    about: 'kubelet and runtime put Pods into control groups the same way',
    why: 'with two drivers no Pod starts, or limits do not hold',
    severity: 'error',
    ours: true,
    look: (host, wanted) => {
      const { systemd } = host.machine
      const plan = runtimePlan(host, wanted)
      const given = wantedDriver(wanted)
      if (given === 'systemd' && !systemd) {
        return error(
          'cgroupDriver is systemd in the KubeletConfiguration, and systemd does not run here',
          'set it to cgroupfs, or leave it out',
        )
      }
      if (plan.kind === 'fault') return undefined
      const driver = plan.kind === 'socket' ? plan.runtime.cgroupDriver : systemd ? 'systemd' : 'cgroupfs'
      if (driver === undefined) {
        return unknown('the runtime does not tell its driver', 'make sure that it is the one of the kubelet, systemd')
      }
      if (given !== undefined && given !== driver) {
        return error(
          `the runtime uses ${driver}, and cgroupDriver is ${String(given)} in the KubeletConfiguration`,
          `set it to ${driver}, or leave it out`,
        )
      }
      if (given === undefined && driver === 'cgroupfs') {
        const why = systemd ? 'the runtime uses cgroupfs' : 'systemd does not run here'
        return handled(why, 'init sets cgroupDriver to cgroupfs')
      }
      if (given === undefined && !isSince(wanted.config.version, '1.22')) {
        return handled(`the runtime uses ${driver}, and the kubelet cgroupfs`, `init sets cgroupDriver to ${driver}`)
      }
      return ok(driver)
    },
  },
  {
    name: 'ContainerdConfig',
    about: "CRI is not switched off in a packaged containerd's configuration",
    why: "Docker's package of containerd comes with CRI off",
    severity: 'error',
    ours: true,
    look: (host, wanted) => {
      if (host.programs.containerd === undefined) return undefined
      if (!host.isCriDisabled) return ok('CRI is not switched off')
      const found = '/etc/containerd/config.toml has cri in disabled_plugins'
      return runtimePlan(host, wanted).kind === 'fault'
        ? error(found, 'take it out and restart containerd, or use --runtime private')
        : handled(found, 'init leaves it alone, and does not use this containerd as it is')
    },
  },
  {
    name: 'CNIConfig',
    about: 'no other network comes first or has left anything behind',
    why: 'a runtime takes the first file of the folder, whoever wrote it',
    severity: 'error',
    ours: true,
    look: (host, wanted) => [configVerdict(host, wanted), ...leftoverVerdicts(host, wanted)],
  },
]

/** Whether a release takes cgroup v1 only on request. Source: kubelet failCgroupV1, k/k PR 134298. */
export function refusesCgroupV1(version: Version): boolean {
  return isSince(version, '1.35')
}
