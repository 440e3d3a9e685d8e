/** The kubelet of a live host, with the runtime under it: the part of an init that kubelet-start is. */

import { DEFAULT_TIMEOUT } from '../../base/defaults.ts'
import { timerMilliseconds } from '../../base/duration.ts'
import { KUBERNETES, LAYOUT } from '../../base/paths.ts'
import type { Call } from '../../cli/script.ts'
import { which } from '../../machine/command.ts'
import { cniFolders, wantsNetwork } from '../../machine/network/pod-network.ts'
import { KUBELET, kubeletService } from '../../machine/service/kubelet-service.ts'
import { serviceManager } from '../../machine/service/manager.ts'
import { giveImageName } from '../../supply/runtime/image-names.ts'
import { importArchives } from '../../supply/runtime/import-archives.ts'
import type { RenderingPhase } from '../phase.ts'
import { archivesThere, type Binaries, installedPlugins, provideBinaries } from './binaries.ts'
import { deliverFiles } from './deliver.ts'
import { lookAtParts } from './first-look.ts'
import { setSysctls } from './kernel-settings.ts'
import { readLiveNode } from './live-node.ts'
import { prepareChosenRuntime } from './live-runtime.ts'
import { givenOf, type OpenedPhase } from './open-phase.ts'
import { plannedChanges } from './planned-changes.ts'
import { record } from './record-changes.ts'
import { sandboxNaming } from './runtime-plan.ts'
import { fillGap, gapChanges, pluginGap } from './runtime-plugins.ts'

/**
 * Writes the kubelet's files and starts it, and a runtime of our own where there is none; images of --artifacts go
 * into the runtime first. Everything is recorded before. Throws a KubestepError.
 */
export async function startKubelet(phase: OpenedPhase, call: Call, render: RenderingPhase['render']): Promise<void> {
  const { output, flags } = call
  const { config, machine, choice } = await readLiveNode(phase, call)
  // Before anything is changed. Images may come another way than by the folder.
  const artifacts = await lookAtParts(call, config, { choice, needed: [] })
  const existing = choice.kind === 'socket' ? choice.runtime : undefined
  // Credentials and manifests are the business of their own phases, which record each file.
  const others = [KUBERNETES.folder, KUBERNETES.manifests, config.cluster.certificatesDir]
  // So is the Pod network.
  const naming = existing === undefined ? undefined : await sandboxNaming(config, flags, existing)
  const gap = existing === undefined || !wantsNetwork(flags.cni) ? undefined : pluginGap(existing)
  const changes = await plannedChanges(config, existing, [
    ...(naming === undefined ? [] : [{ kind: 'image', ...naming } as const]),
    ...(gap === undefined ? [] : gapChanges(gap)),
  ])
  record(changes.filter(change => !('path' in change && others.includes(change.path))))
  const services = serviceManager()
  const binaries = await localBinaries(call, () =>
    provideBinaries(
      config.cluster.kubernetesVersion,
      call,
      AbortSignal.timeout(timerMilliseconds(flags.timeout ?? DEFAULT_TIMEOUT)),
      artifacts === undefined ? {} : { artifacts },
    ),
  )
  if (gap !== undefined) fillGap(gap, binaries.cniBinDir)
  setSysctls(config.cluster.networking)
  const cni = cniFolders(flags.cni, binaries.cniBinDir)
  const open = await prepareChosenRuntime(choice, config, machine, services, cni, flags)
  const runtime = await open()
  try {
    await importArchives(which('ctr') ?? 'ctr', runtime.cri.socket, binaries.images.there)
    if (naming !== undefined) await giveImageName(runtime, naming)
  } finally {
    runtime.cri.close()
  }
  await services.stop(KUBELET)
  deliverFiles(await render(givenOf({ ...phase, config }, call)), phase, output)
  output.say('[kubelet-start] Starting the kubelet')
  await services.start(kubeletService(binaries.kubelet))
}

/** A kubelet that is installed will do, unless a folder is named. */
async function localBinaries({ flags }: Call, provide: () => Promise<Binaries>): Promise<Binaries> {
  const kubelet = which('kubelet')
  if (flags.artifacts !== undefined || kubelet === undefined) return provide()
  return { kubelet, cniBinDir: installedPlugins() ?? LAYOUT.cni.bin, images: archivesThere([]) }
}
