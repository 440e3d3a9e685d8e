/** What a node runs on: host, binaries, runtime and images, got ready in the same way whether it begins a cluster or joins one. */

import type { Call } from '../../cli/script.ts'
import { imageList, pullOrder } from '../../kubeadm/images/image-list.ts'
import type { FileEntry } from '../../machine/files.ts'
import type { Journal } from '../../machine/journal.ts'
import { cniFolders } from '../../machine/network/pod-network.ts'
import { serviceManager } from '../../machine/service/manager.ts'
import { cacheDirOf } from '../../supply/components/fetching.ts'
import type { Runtime } from '../../supply/runtime/runtime.ts'
import { imageIds } from '../../supply/runtime/runtime-images.ts'
import { type ImageSteps, loadClusterImages } from '../init/cluster-images.ts'
import { openPrepared } from '../init/prepared-images.ts'
import { provideHost } from '../init/provide-host.ts'
import { type Binaries, provideBinaries } from '../run/binaries.ts'
import type { FirstLook } from '../run/first-look.ts'
import { setSysctls } from '../run/kernel.ts'
import { openChosenRuntime } from '../run/live-runtime.ts'
import type { OpenedPhase } from '../run/open-phase.ts'
import { plannedChanges } from '../run/planned-changes.ts'
import { planRuntime } from '../run/runtime-plan.ts'
import { fillGap } from '../run/runtime-plugins.ts'

export interface NodeSupply {
  readonly binaries: Binaries
  readonly runtime: Runtime
  readonly images: ImageSteps
  /** Where the Pod network's file goes; undefined when the network is somebody else's. */
  readonly network?: FileEntry
  /** Keeps the images of a runtime of our own for the next time. */
  readonly keepImages?: () => Promise<string | undefined>
}

/** Gets all of it; what changes is in the journal before. Throws a KubestepError. */
export async function supplyNode(
  phase: OpenedPhase,
  { config, machine, choice, artifacts }: FirstLook,
  call: Call,
  {
    journal,
    deadline,
    mark,
  }: { readonly journal: Journal; readonly deadline: AbortSignal; readonly mark: (reached: string) => number },
): Promise<NodeSupply> {
  const { flags, output } = call
  const existing = choice.kind === 'socket' ? choice.runtime : undefined
  await provideHost(phase, call, journal)
  const { changes, network, naming, gap } = await planRuntime(config, flags, existing)
  journal.record(...(await plannedChanges(config, existing, changes)))
  setSysctls(config.cluster.networking)
  // A runtime of our own begins empty.
  const fetched = existing === undefined && flags.artifacts === undefined ? pullOrder(imageList(config)) : []
  const binaries = await provideBinaries(config.cluster.kubernetesVersion, call, deadline, {
    images: fetched,
    ...(artifacts !== undefined && { artifacts }),
  })
  if (gap !== undefined) fillGap(gap, binaries.cniBinDir)
  const cni = cniFolders(flags.cni, binaries.cniBinDir)
  const open = (): Promise<Runtime> => openChosenRuntime(choice, config, machine, serviceManager(), cni, flags)
  const prepared =
    existing === undefined ? await openPrepared(open, binaries.imageArchives, cacheDirOf(flags)) : undefined
  const runtime = prepared?.runtime ?? (await open())
  output.say(`[runtime] ${existing === undefined ? 'Started' : 'Using'} ${runtime.name} ${runtime.version}`)
  mark('runtime')
  const images = loadClusterImages(runtime, config, prepared?.archives ?? binaries.imageArchives, {
    call,
    deadline,
    mark,
    ...(naming !== undefined && { naming }),
  })
  return {
    binaries,
    runtime,
    images,
    ...(network !== undefined && { network }),
    ...(prepared !== undefined && { keepImages: async () => prepared.keep(await imageIds(runtime.cri)) }),
  }
}
