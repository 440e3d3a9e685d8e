/** What a node runs on: host, binaries, runtime and images, got ready in the same way whether it begins a cluster or joins one. */

import type { Call } from '../../cli/script.ts'
import { imageList, pullOrder } from '../../kubeadm/images/image-list.ts'
import type { Journal } from '../../machine/journal.ts'
import { type CniFolders, cniFolders } from '../../machine/network/pod-network.ts'
import { serviceManager } from '../../machine/service/manager.ts'
import { cacheDirOf } from '../../supply/components/fetch-options.ts'
import { imageIds } from '../../supply/runtime/import-archives.ts'
import type { Runtime } from '../../supply/runtime/runtime.ts'
import { type Binaries, provideBinaries } from '../run/binaries.ts'
import type { FirstLook } from '../run/first-look.ts'
import { setSysctls } from '../run/kernel-settings.ts'
import { prepareChosenRuntime } from '../run/live-runtime.ts'
import type { OpenedPhase } from '../run/open-phase.ts'
import { plannedChanges } from '../run/planned-changes.ts'
import { planRuntime, type RuntimeChanges } from '../run/runtime-plan.ts'
import { fillGap } from '../run/runtime-plugins.ts'
import { type ImageSteps, loadClusterImages } from './cluster-images.ts'
import { openPrepared } from './prepared-images.ts'
import { provideHost } from './provide-host.ts'

export interface BinariesSupply {
  readonly binaries: Binaries
  readonly cni: CniFolders
}

export interface RuntimeSupply {
  readonly runtime: Runtime
  readonly images: ImageSteps
  /** Whether the runtime began with all images in it. */
  readonly isPrepared: boolean
  /** Keeps the images of a runtime of our own for the next time; absent for one that was there. */
  readonly keepImages?: () => Promise<string | undefined>
}

export interface SupplyRun {
  readonly call: Call
  readonly deadline: AbortSignal
  /** Notes that something has been reached now. */
  readonly mark: (reached: string) => number
}

/** Prepares the host; this and what the runtime will change is in the journal before. Throws a KubestepError. */
export async function supplyHost(
  phase: OpenedPhase,
  { config, choice }: FirstLook,
  journal: Journal,
  { call }: SupplyRun,
): Promise<RuntimeChanges> {
  const existing = choice.kind === 'socket' ? choice.runtime : undefined
  await provideHost(phase, call, journal)
  const plan = await planRuntime(config, call.flags, existing)
  journal.record(...(await plannedChanges(config, existing, plan.changes)))
  return plan
}

/** Gets the binaries, and with them the images that no runtime pulls. Throws a KubestepError. */
export async function supplyBinaries(
  { config, choice, artifacts }: FirstLook,
  { gap }: RuntimeChanges,
  { call, deadline }: SupplyRun,
): Promise<BinariesSupply> {
  const { flags } = call
  setSysctls(config.cluster.networking)
  // A runtime of our own begins empty.
  const fetched = choice.kind === 'socket' || flags.artifacts !== undefined ? [] : pullOrder(imageList(config))
  const binaries = await provideBinaries(config.cluster.kubernetesVersion, call, deadline, {
    images: fetched,
    ...(artifacts !== undefined && { artifacts }),
  })
  if (gap !== undefined) fillGap(gap, binaries.cniBinDir)
  return { binaries, cni: cniFolders(flags.cni, binaries.cniBinDir) }
}

/** Opens the runtime, or starts one of our own, and begins with the images. Throws a KubestepError. */
export async function supplyRuntime(
  { config, machine, choice, containerd }: FirstLook,
  { naming }: RuntimeChanges,
  { binaries, cni }: BinariesSupply,
  { call, deadline, mark }: SupplyRun,
): Promise<RuntimeSupply> {
  const { flags, output } = call
  const isOwn = choice.kind !== 'socket'
  const preparing = prepareChosenRuntime(choice, config, machine, serviceManager(), cni, flags)
  preparing.catch(() => {})
  const open = async (): Promise<Runtime> => (await preparing)()
  const { there, coming, ids, all } = binaries.images
  const prepared = isOwn ? await openPrepared(open, there, cacheDirOf(flags), containerd) : undefined
  const runtime = prepared?.runtime ?? (await open())
  output.say(`[runtime] ${isOwn ? 'Started' : 'Using'} ${runtime.name} ${runtime.version}`)
  mark('runtime')
  const archives = {
    there: prepared?.archives ?? there,
    ...(coming !== undefined && { coming }),
    ...(ids !== undefined && { ids }),
  }
  const images = loadClusterImages(runtime, config, archives, {
    call,
    deadline,
    mark,
    ...(naming !== undefined && { naming }),
  })
  return {
    runtime,
    images,
    isPrepared: prepared?.archives.length === 0 && coming === undefined,
    ...(prepared !== undefined && { keepImages: async () => prepared.keep(await imageIds(runtime.cri), await all) }),
  }
}
