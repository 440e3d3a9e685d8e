/**
 * What an init is about to change on the machine, written down before anything is: newest last, so that undoing
 * from the end stops the kubelet first, then the Pods, then the runtime, and only then removes files.
 */
import { existsSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { JsonObject } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { KUBERNETES, LAYOUT, NODE } from '../../base/paths.ts'
import { argumentValue } from '../../kubeadm/manifests/command-line.ts'
import { groupRoots, presentGroups } from '../../machine/host/cgroups.ts'
import { mountsBelow, readMountinfo } from '../../machine/host/mounts.ts'
import { presentLinks } from '../../machine/host/network-links.ts'
import { isSettable, readSysctl, SYSCTLS } from '../../machine/host/sysctl.ts'
import type { Change } from '../../machine/journal.ts'
import { isLocalNode } from '../../machine/local-node/local-node.ts'
import { presentChains } from '../../machine/network/firewall-chains.ts'
import { presentLeftovers } from '../../machine/network/proxy-leftovers.ts'
import { KUBELET } from '../../machine/service/kubelet-service.ts'
import { presentPodSlices } from '../../machine/service/slices.ts'
import { PRIVATE_RUNTIME } from '../../supply/runtime/private-runtime.ts'
import type { Runtime } from '../../supply/runtime/runtime.ts'
import { presentSandboxes } from '../../supply/runtime/sandboxes.ts'
import { shimSocket } from '../../supply/runtime/shims.ts'
import { fileChange, missingFolders } from './record-changes.ts'

/** Folders that bear our name: whatever is in them is ours, from whichever run. */
const OWN_FOLDERS: readonly string[] = [LAYOUT.state, LAYOUT.run, LAYOUT.logs]

/** Folders that a cluster fills, besides the ones that depend on the configuration. */
const FOLDERS: readonly string[] = [
  KUBERNETES.folder,
  KUBERNETES.manifests,
  KUBERNETES.kubelet,
  NODE.podLogs,
  NODE.containerLogs,
  '/usr/libexec/kubernetes',
]

/** Folders in which others work at the same time, and the names of a cluster's things there. */
const SHARED_FOLDERS: readonly (readonly [path: string, names: string, idle?: true])[] = [
  // Network namespaces of Pods, as containerd and CRI-O call them; those of other tools are in use.
  [NODE.namespaces, '^(cni-)?[0-9a-f]{8}-', true],
  // What CNI remembers of each Pod: all of it goes with the Pods, unless the runtime dies.
  [NODE.cniResults, '^kubestep-'],
]

/** Where every containerd puts the sockets of its shims. */
const SHIM_SOCKETS = dirname(shimSocket('', ''))

/** What network add-ons call theirs in the folder of CNI configurations. Source: flannel, Calico, Canal, Cilium, Weave, Antrea, ... */
const ADD_ON_NAMES =
  '^(\\d+-)?(antrea|calico|canal|cilium|flannel|kindnet|kube-?ovn|kube-?router|multus|ovn|weave|whereabouts)'

/** What comes into a runtime's folder of CNI configurations: our file, or what an add-on brings. Others work there, too. */
export function networkChanges(confDir: string, file?: string): Change[] {
  return file === undefined ? sharedFolder(confDir, ADD_ON_NAMES) : [...missingFolders(confDir), fileChange(file)]
}

/**
 * All changes, in the order in which they are recorded. `runtime` is absent when it will be a private one; `further` are
 * those that go after its Pods.
 */
export async function plannedChanges(
  config: InitConfig,
  runtime?: Runtime,
  further: readonly Change[] = [],
): Promise<Change[]> {
  const { certificatesDir, etcd } = config.cluster
  const folders = [
    ...FOLDERS,
    certificatesDir,
    // Where a user has CAs of their own, the leaves beside them are ours all the same.
    `${certificatesDir}/etcd`,
    ...(etcd.local === undefined || config.joins === 'worker' ? [] : [etcd.local.dataDir]),
  ]
  const sysctls = SYSCTLS.flatMap(({ key }): Change[] => {
    const before = readSysctl(key)
    return before === undefined || !isSettable(key) ? [] : [{ kind: 'sysctl', key, before }]
  })
  const [chains, others] = await Promise.all([presentChains(), presentLeftovers()])
  const socket = runtime?.cri.socket ?? LAYOUT.containerd.url
  const sandboxes = runtime === undefined ? [] : await presentSandboxes(runtime.cri)
  const roots = groupRoots(groupSettings(config))
  return [
    ...OWN_FOLDERS.map((path): Change => {
      // What somebody mounted there or linked to stays, empty.
      const isTheirs = existsSync(path) && (isMountPoint(path) || lstatSync(path).isSymbolicLink())
      return isTheirs ? { kind: 'contents', path, before: ofItsWorld(path) } : { kind: 'tree', path }
    }),
    ...SHARED_FOLDERS.flatMap(([path, names, idle]) => sharedFolder(path, names, idle)),
    ...(runtime === undefined ? missingFolders(SHIM_SOCKETS) : []),
    ...folders.map(folderChange),
    ...further,
    // The kubelet mounts its folder onto itself, to make it shared.
    ...(isMountPoint(KUBERNETES.kubelet) ? [] : [{ kind: 'mount', path: KUBERNETES.kubelet } as const]),
    ...sysctls,
    { kind: 'network', links: presentLinks(), chains, others },
    ...(runtime === undefined ? [{ kind: 'service', name: PRIVATE_RUNTIME } as const] : []),
    {
      kind: 'runtime',
      socket,
      ours: runtime === undefined,
      sandboxes,
      groups: { roots, before: presentGroups(roots), slices: await presentPodSlices() },
      ...(runtime !== undefined && { network: runtime.cni.confDir }),
    },
    { kind: 'service', name: KUBELET },
  ]
}

/** By this file a node on a machine with others knows what it is. */
function ofItsWorld(path: string): string[] {
  return path === LAYOUT.state && isLocalNode() ? [basename(LAYOUT.localNode)] : []
}

/** Fields of KubeletConfiguration that say where control groups are, by the flags that say the same. */
const GROUP_FLAGS = {
  'cgroup-root': 'cgroupRoot',
  'cgroup-driver': 'cgroupDriver',
  'kubelet-cgroups': 'kubeletCgroups',
} as const

/** Where its kubelet puts its Pods, by its file or by flags, which count more. */
function groupSettings({ kubelet, init }: InitConfig): JsonObject {
  const given = Object.entries(GROUP_FLAGS).flatMap(([flag, field]) => {
    const value = argumentValue(init.nodeRegistration.kubeletExtraArgs, flag)
    return value === undefined ? [] : [[field, value] as const]
  })
  return { ...kubelet.document, ...Object.fromEntries(given) }
}

/** Of a folder in which others work too, what is the cluster's by its name. */
export function sharedFolder(path: string, only: string, idle?: true): Change[] {
  const before = existsSync(path) ? readdirSync(path).sort() : []
  return [...missingFolders(path), { kind: 'contents', path, before, only, ...(idle && { idle }) }]
}

function isMountPoint(path: string): boolean {
  const real = existsSync(path) ? realpathSync(path) : path
  return mountsBelow(readMountinfo(), [real]).includes(real)
}

/** A folder that is not there goes with all that leads to it; of one that is there only what will be new. */
export function folderChange(path: string): Change {
  // A link to a folder is the user's, too.
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    return { kind: 'contents', path, before: readdirSync(path).sort() }
  let top = path
  while (!existsSync(dirname(top))) top = dirname(top)
  return { kind: 'tree', path: top }
}
