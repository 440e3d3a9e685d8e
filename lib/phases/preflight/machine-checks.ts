/** Checks of the machine itself: rights, size, room, limits, clock. */

import { KUBERNETES, LAYOUT } from '../../base/paths.ts'
import { isSince } from '../../base/version.ts'
import { commandOf } from '../../cli/invocation.ts'
import type { Host } from '../../machine/host/host.ts'
import { mountOf } from '../../machine/host/mount-table.ts'
import { bytesText, type Check, error, handled, ok, unknown, type Verdict, type Wanted, warning } from './check.ts'
import { runtimePlan } from './runtime-checks.ts'

const MIB = 2 ** 20
const GIB = 2 ** 30

/** Source: kubeadm constants.go, ControlPlaneNumCPU and ControlPlaneMem (v1.36). */
const LEAST_PROCESSORS = 2
const LEAST_MEMORY = 1700 * MIB

/** A control plane's images take 0.7 GiB unpacked; etcd writes 64 MiB at a time; then there are logs. */
const LEAST_ROOM = 2 * GIB
const GOOD_ROOM = 5 * GIB

/** Below this share the kubelet evicts Pods, by default. Source: kubelet eviction/defaults_linux.go (v1.36). */
const EVICTION = { nodefs: 0.1, imagefs: 0.15 } as const

/** Where runtimes keep images, by the names that they give themselves. Source: their default configurations. */
const IMAGE_FOLDERS: Readonly<Record<string, string>> = {
  containerd: '/var/lib/containerd',
  'cri-o': '/var/lib/containers/storage',
  docker: '/var/lib/docker',
}

/** Free instances and watches that a kubelet, a runtime and a few Pods need; Linux gives 128 instances to a user. */
const LEAST_INSTANCES = 64
const LEAST_WATCHES = 16_384
const LEAST_OPEN_FILES = 8192

/** When these sources were written: no honest clock shows an earlier time. */
const WRITTEN = '2026-10-01'

export const MACHINE_CHECKS: readonly Check[] = [
  {
    name: 'IsPrivilegedUser',
    about: 'the user is root',
    why: 'a cluster changes the machine: mounts, firewall rules, services',
    severity: 'error',
    look: ({ uid }) => (uid === 0 ? ok('root') : error(`user ${uid ?? 'unknown'} is not root`, 'run it with sudo')),
  },
  {
    name: 'NumCPU',
    about: `at least ${LEAST_PROCESSORS} processors`,
    why: 'the control plane alone asks for most of one',
    severity: 'error',
    look: ({ processors }, { config: { joins } }) => {
      if (joins === 'worker') return undefined
      if (processors === undefined) return unknown('the number of processors cannot be read', 'mount /proc')
      const found = `${processors} processor${processors === 1 ? '' : 's'}`
      return processors >= LEAST_PROCESSORS ? ok(found) : error(found, `give the machine ${LEAST_PROCESSORS}`)
    },
  },
  {
    name: 'Mem',
    about: `at least ${LEAST_MEMORY / MIB} MB of memory`,
    why: 'API server, etcd and the kubelet are killed for lack of it',
    severity: 'error',
    since: '1.20',
    look: ({ memoryBytes }, { config: { joins } }) => {
      if (joins === 'worker') return undefined
      if (memoryBytes === undefined) return unknown('the amount of memory cannot be read', 'mount /proc')
      const found = `${Math.floor(memoryBytes / MIB)} MB`
      return memoryBytes >= LEAST_MEMORY ? ok(found) : error(found, `give the machine ${LEAST_MEMORY / MIB} MB`)
    },
  },
  {
    name: 'Swap',
    about: 'swap is off',
    why: 'a kubelet refuses to start with swap on, unless it is told to live with it',
    // Source: CHANGELOG-1.23, k/k PR 104854: an error until then.
    severity: 'error',
    look: ({ swap }, { config, profile }) => {
      if (swap.length === 0) return ok('off')
      const found = `on: ${swap.map(({ path }) => path).join(', ')}`
      const { failSwapOn } = config.kubelet.document
      if (failSwapOn === true) {
        return error(`${found}, and failSwapOn is true in the KubeletConfiguration`, 'turn swap off (swapoff -a)')
      }
      const why = failSwapOn === false ? (profile === 'ci' ? 'the ci profile' : 'the KubeletConfiguration') : 'init'
      return handled(found, `${why} sets failSwapOn to false; prepare turns it off for good`)
    },
  },
  {
    name: 'Container',
    about: 'a machine of its own, or a container with all rights',
    why: 'a kubelet mounts, and makes control groups and namespaces',
    severity: 'error',
    ours: true,
    look: ({ container, maySysAdmin, mounts, uid, environment }) => {
      if (container === undefined) return ok('no container')
      const found = `this is a container: ${container}`
      const closed = ['/proc/sys', '/sys/fs/cgroup'].filter(path => mountOf(mounts, path)?.readOnly)
      if (uid !== 0) return unknown(`${found}; whether it has all rights shows only to root`)
      if (maySysAdmin && closed.length === 0) {
        return warning(found, 'expect less than on a machine: no kernel modules, and shared limits')
      }
      const lacks = [...(maySysAdmin ? [] : ['CAP_SYS_ADMIN']), ...closed.map(path => `a writable ${path}`)]
      return error(
        `${found}; it lacks ${lacks.join(' and ')}`,
        environment.GITHUB_ACTIONS === undefined
          ? 'start it with --privileged, or use a machine'
          : 'use a runner that is a machine: ubuntu-latest, not ubuntu-slim, and no container: in the job',
      )
    },
  },
  {
    name: 'DiskSpace',
    about: 'room for images, Pods and etcd',
    why: 'a full disk stops etcd, and the kubelet evicts Pods from one that is nearly full',
    severity: 'error',
    ours: true,
    look: (host, wanted) => {
      const needs = roomNeeds(host, wanted)
      const verdicts = needs.flatMap(need => roomVerdict(host, wanted, need))
      if (verdicts.length > 0) return oncePerText(verdicts)
      const least = Math.min(...needs.flatMap(({ folder }) => host.spaces[folder]?.freeBytes ?? []))
      return Number.isFinite(least)
        ? ok(`${bytesText(least)} free`)
        : unknown('the free space cannot be read', 'see df -h')
    },
  },
  {
    name: 'InotifyLimits',
    about: 'instances and watches of inotify',
    why: 'kubelet, runtime and Pods watch files; without them they fail with "too many open files"',
    severity: 'warning',
    ours: true,
    look: ({ sysctls, inotifyInUse }) => {
      const instances = sysctls['fs.inotify.max_user_instances']
      const watches = sysctls['fs.inotify.max_user_watches']
      if (instances === undefined || watches === undefined) return unknown('the limits cannot be read', 'mount /proc')
      const found = `${instances} instances${inotifyInUse > 0 ? ` (${inotifyInUse} in use)` : ''}, ${watches} watches`
      return Number(instances) - inotifyInUse >= LEAST_INSTANCES && Number(watches) >= LEAST_WATCHES
        ? ok(found)
        : warning(found, 'sysctl -w fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288')
    },
  },
  {
    name: 'OpenFilesLimit',
    about: 'how many files a process may have open',
    why: 'without systemd the kubelet and the runtime inherit the limit of who starts them',
    severity: 'warning',
    ours: true,
    look: ({ openFiles, machine }) => {
      if (machine.systemd) return ok('set by systemd, per service')
      if (openFiles === undefined) return unknown('the limit cannot be read', 'see ulimit -Hn')
      return openFiles >= LEAST_OPEN_FILES
        ? ok(`${openFiles === Number.POSITIVE_INFINITY ? 'no limit' : openFiles}`)
        : warning(`${openFiles}`, `raise it before init: ulimit -Hn 65536 -Sn 65536`)
    },
  },
  {
    name: 'Clock',
    about: 'the time is right',
    why: 'certificates are valid from the minute they are made; other nodes and registries would refuse them',
    severity: 'error',
    ours: true,
    look: ({ now, isClockSynchronised }) => {
      const time = now.toISOString().slice(0, 19)
      if (now.getTime() < Date.parse(WRITTEN)) {
        return error(`${time}, which is before this program was written (${WRITTEN})`, 'set the clock')
      }
      if (isClockSynchronised === false) {
        return warning(`${time}, not synchronised`, 'start systemd-timesyncd or chrony (timedatectl set-ntp true)')
      }
      return ok(`${time}${isClockSynchronised ? ', synchronised' : '; nothing here tells whether it is synchronised'}`)
    },
  },
  {
    name: 'ExistingCluster',
    about: 'no cluster of kubestep yet',
    why: 'one machine carries one cluster',
    severity: 'error',
    ours: true,
    look: ({ files }) =>
      files[LAYOUT.ready] === undefined
        ? ok('none')
        : error('a cluster of kubestep is up on this machine', `use it, or take it away: ${commandOf('reset', true)}`),
  },
]

interface RoomNeed {
  readonly folder: string
  readonly what: string
  /** The kubelet's signal that watches it. */
  readonly signal?: 'nodefs' | 'imagefs'
}

/** Folders that may need room, whichever runtime it will be. */
export function spaceFolders({ config }: Wanted): string[] {
  const dataDir = config.cluster.etcd.local?.dataDir
  return [
    KUBERNETES.kubelet,
    LAYOUT.containerd.root,
    ...Object.values(IMAGE_FOLDERS),
    ...(dataDir === undefined ? [] : [dataDir]),
  ]
}

function roomNeeds(host: Host, wanted: Wanted): RoomNeed[] {
  const plan = runtimePlan(host, wanted)
  const images = plan.kind === 'socket' ? IMAGE_FOLDERS[plan.runtime.name] : LAYOUT.containerd.root
  const dataDir = wanted.config.cluster.etcd.local?.dataDir
  return [
    { folder: KUBERNETES.kubelet, what: 'Pods', signal: 'nodefs' },
    ...(images === undefined ? [] : [{ folder: images, what: 'images', signal: 'imagefs' } as const]),
    ...(dataDir === undefined ? [] : [{ folder: dataDir, what: 'etcd' }]),
  ]
}

function roomVerdict({ spaces }: Host, wanted: Wanted, { folder, what, signal }: RoomNeed): Verdict[] {
  const space = spaces[folder]
  if (space === undefined) return []
  const { bytes, freeBytes } = space
  const found = `${bytesText(freeBytes)} of ${bytesText(bytes)} free for ${what} in "${folder}"`
  if (freeBytes < LEAST_ROOM) return [error(found, `free some: ${bytesText(LEAST_ROOM)} is the least`)]
  if (signal !== undefined && evicts(wanted, `${signal}.available`) && freeBytes < EVICTION[signal] * bytes) {
    const advice = 'free some, set evictionHard in a KubeletConfiguration, or use --profile ci'
    return [warning(`${found}: the kubelet evicts Pods below ${EVICTION[signal] * 100} %`, advice)]
  }
  return freeBytes < GOOD_ROOM ? [warning(found, `free some: ${bytesText(GOOD_ROOM)} is comfortable`)] : []
}

function evicts({ config }: Wanted, signal: string): boolean {
  const { evictionHard } = config.kubelet.document
  if (typeof evictionHard !== 'object' || evictionHard === null) return true
  // What a user sets replaces all of the defaults, unless the kubelet is told to merge (1.32).
  const merges = config.kubelet.document.mergeDefaultEvictionSettings === true && isSince(config.version, '1.32')
  return merges && !(signal in evictionHard)
}

/** Folders of one disk have the same room: it is told once. */
function oncePerText(verdicts: readonly Verdict[]): Verdict[] {
  const seen = new Set<string>()
  return verdicts.filter(({ found, status }) => {
    const key = `${status} ${found.replace(/ for .*/, '')}`
    return !seen.has(key) && seen.add(key)
  })
}
