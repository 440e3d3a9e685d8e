/**
 * What is read before an init changes anything: the machine, its runtime, and the folder of --artifacts. Whatever would
 * stop the run later is named here, all of it at once.
 */
import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { KubestepError, messageOf } from '../../base/errors.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { KUBERNETES, LAYOUT } from '../../base/paths.ts'
import { architecture } from '../../base/platform.ts'
import type { Call } from '../../cli/script.ts'
import { isSkipped } from '../../kubeadm/config/phase-names.ts'
import { imageList } from '../../kubeadm/images/image-list.ts'
import { which } from '../../machine/command.ts'
import { explain } from '../../machine/files.ts'
import { CNI_PROGRAMS } from '../../machine/host/cni-plugins.ts'
import { wantsNetwork } from '../../machine/network/pod-network.ts'
import { type Artifacts, askKubelet, readArtifacts, type WantedArtifacts } from '../../supply/components/artifacts.ts'
import { programFault } from '../../supply/fetch/program.ts'
import { presentImages } from '../../supply/runtime/import-archives.ts'
import { askContainerd, missingPrograms, RUNTIME_PROGRAMS } from '../../supply/runtime/private-runtime.ts'
import type { RuntimeChoice } from '../../supply/runtime/runtime.ts'
import { refuseBadMachine } from '../preflight/refuse-machine.ts'
import { installedPlugins } from './binaries.ts'
import { type LiveNode, readLiveNode } from './live-node.ts'
import type { OpenedPhase } from './open-phase.ts'
import { pluginGap } from './runtime-plugins.ts'

export interface FirstLook extends LiveNode {
  /** What the folder of --artifacts has; undefined without one. */
  readonly artifacts?: Artifacts
  /** As `containerd --version` says it, where a runtime of our own begins. */
  readonly containerd?: string
}

/** Looks. Throws a KubestepError with every fault. */
export async function firstLook(phase: OpenedPhase, call: Call): Promise<FirstLook> {
  const { flags, output } = call
  const isChecked = !isSkipped('preflight', phase.config.init.skipPhases)
  // Programs of their size take a while to say it, and all else is read meanwhile.
  const kubeletSays = flags.artifacts === undefined ? undefined : askKubelet(flags.artifacts, architecture())
  const living = readLiveNode(phase, call)
  const containerdSays = living.then(
    ({ choice }) => (choice.kind === 'private' ? askContainerd() : undefined),
    () => undefined,
  )
  // Without a runtime it cannot be told which images are missing; that there is none is said anyway.
  const looking = living.then(
    ({ config, choice }) => lookAtParts(call, config, { choice, kubeletSays }),
    () => lookAtParts(call, phase.config, { kubeletSays }),
  )
  const [parts, checked, live] = await Promise.allSettled([
    looking,
    isChecked ? refuseBadMachine(phase, flags, output) : undefined,
    living,
  ])
  // Preflight, unless it was skipped, has asked for the runtime and its programs too.
  const outcomes = [parts, checked, ...(checked.status === 'rejected' ? [] : [live])]
  const isPrivate = live.status === 'fulfilled' && live.value.choice.kind === 'private'
  const absent = checked.status === 'fulfilled' && isPrivate && !flags.install ? missingPrograms() : undefined
  const reasons = [
    ...outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason as unknown] : [])),
    ...(absent === undefined ? [] : [new KubestepError(absent)]),
  ]
  if (reasons.length === 0 && live.status === 'fulfilled' && parts.status === 'fulfilled') {
    const containerd = await containerdSays
    return {
      ...live.value,
      ...(parts.value !== undefined && { artifacts: parts.value }),
      ...(containerd !== undefined && { containerd }),
    }
  }
  const messages = reasons.map(reason => {
    if (!(reason instanceof KubestepError)) throw reason
    return messageOf(call.name, reason)
  })
  throw reasons.length === 1 ? reasons[0] : new KubestepError(messages.join('\n'))
}

/** What is known before the parts of a cluster are looked at. */
export interface KnownParts {
  /** Without one nothing is said of images. */
  readonly choice?: RuntimeChoice
  /** Images; those of the cluster, unless others are given. */
  readonly needed?: readonly string[]
  readonly kubeletSays?: WantedArtifacts['kubeletSays']
}

/** Reads the parts of a cluster, as far as they are on this machine. Throws a KubestepError with every fault. */
export async function lookAtParts(
  { name, flags }: Pick<Call, 'name' | 'flags'>,
  config: InitConfig,
  { choice, needed = imageList(config), kubeletSays }: KnownParts,
): Promise<Artifacts | undefined> {
  const arch = architecture()
  const socket = choice?.kind === 'socket' ? choice : undefined
  const has = socket === undefined ? new Set<string>() : await presentImages(socket.runtime.cri)
  const images = choice === undefined ? [] : needed.filter(image => !has.has(image))
  const faults = [
    ...writingFaults(config).map(fault => `${name}: ${fault}`),
    ...(choice?.kind === 'private' ? programFaults(arch) : []),
    ...(socket !== undefined && flags.artifacts !== undefined && images.length > 0 ? importFaults(socket) : []),
    ...(socket !== undefined && wantsNetwork(flags.cni) ? pluginFaults(socket) : []),
  ]
  const reading =
    flags.artifacts === undefined
      ? undefined
      : readArtifacts(flags.artifacts, {
          arch,
          version: config.cluster.kubernetesVersion,
          images,
          plugins: wantsNetwork(flags.cni) ? CNI_PROGRAMS : [],
          hasPlugins: flags.install === true || installedPlugins() !== undefined,
          ...(kubeletSays !== undefined && { kubeletSays }),
        })
  const [artifacts] = await Promise.allSettled([reading])
  if (artifacts.status === 'fulfilled' && faults.length === 0) return artifacts.value
  if (artifacts.status === 'rejected' && !(artifacts.reason instanceof KubestepError)) throw artifacts.reason
  const refusal = artifacts.status === 'rejected' ? [(artifacts.reason as KubestepError).message] : []
  throw new KubestepError([...faults, ...refusal].join('\n'))
}

/** Programs of a runtime of our own that this machine cannot run; those that are missing are preflight's. */
function programFaults(arch: string): string[] {
  return RUNTIME_PROGRAMS.flatMap(([program, packageName]) => {
    const path = which(program)
    const fault = path === undefined ? undefined : programFault(path, arch)
    return fault === undefined
      ? []
      : [
          `runtime: cannot start containerd: ${fault}; the package ${packageName} has it, or name a CRI socket with --runtime`,
        ]
  })
}

/** Why archives cannot be put into a runtime that is there. */
function importFaults({ socket, runtime }: RuntimeChoice & { readonly kind: 'socket' }): string[] {
  const head = `images: cannot put the archives of --artifacts into "${socket}"`
  const advice = 'load the archives by its own tools (podman load --input FILE), or use --runtime private'
  if (runtime.name !== 'containerd') return [`${head}: ${runtime.name} takes no archives; ${advice}`]
  return which('ctr') === undefined
    ? [`${head}: ctr is not on this machine; install containerd's ctr, or use --runtime private`]
    : []
}

/** Why a runtime that is there cannot be given the plugins of the Pod network that it does not find. */
function pluginFaults({ socket, runtime }: RuntimeChoice & { readonly kind: 'socket' }): string[] {
  const gap = pluginGap(runtime)
  const reason = gap === undefined ? undefined : whyNotWritable(gap.folder)
  if (gap === undefined || reason === undefined) return []
  return [
    `runtime: cannot use "${socket}" for the Pod network: it looks for CNI plugins in "${gap.folder}", where ${gap.names.join(', ')} can neither be found nor put: ${reason}; put them there, or use --runtime private or --cni none`,
  ]
}

/** Folders that an init writes to and may not. */
function writingFaults({ cluster }: InitConfig): string[] {
  const folders = [
    KUBERNETES.folder,
    cluster.certificatesDir,
    KUBERNETES.kubelet,
    ...(cluster.etcd.local === undefined ? [] : [cluster.etcd.local.dataDir]),
    LAYOUT.state,
    LAYOUT.run,
    LAYOUT.logs,
  ]
  return [...new Set(folders)].flatMap(folder => {
    const reason = whyNotWritable(folder)
    return reason === undefined ? [] : [`cannot write to "${folder}": ${reason}`]
  })
}

function whyNotWritable(folder: string): string | undefined {
  let there = folder
  while (!existsSync(there)) there = dirname(there)
  try {
    accessSync(there, constants.W_OK)
    return undefined
  } catch (error) {
    return explain(error)
  }
}
