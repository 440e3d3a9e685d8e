import { fetchingOf } from '../components/fetching.ts'
import { openReporter } from '../components/progress.ts'
import type { InitConfig } from '../config/types.ts'
import { within } from '../deadline.ts'
import { contextOf } from '../diagnose/context.ts'
import { timerMilliseconds } from '../duration.ts'
import { writeFiles, writeLink } from '../files.ts'
import { imageList, pullOrder } from '../images/images.ts'
import type { Journal } from '../journal.ts'
import { makeDataFolder } from '../live/data-folder.ts'
import { readLiveNode } from '../live/node.ts'
import { fileChange } from '../live/record.ts'
import type { Phase } from '../phase.ts'
import { isSkipped } from '../phases.ts'
import { refuseBadMachine } from '../preflight/preflight.ts'
import { chosenGates } from '../ready/context.ts'
import type { GateResult } from '../ready/wait.ts'
import { imageIds } from '../runtime/images.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Call } from '../script.ts'
import { kubeletService } from '../service/kubelet.ts'
import { serviceManager } from '../service/manager.ts'
import { startTimings } from '../timings.ts'
import { openAdminApi } from './admin-api.ts'
import { provideBinaries } from './binaries.ts'
import { completeCluster } from './complete.ts'
import { explained, failure } from './failed-run.ts'
import { setRules, setSysctls } from './kernel.ts'
import { loadImages, openChosenRuntime } from './live-runtime.ts'
import { nodeFiles } from './node-files.ts'
import { plannedChanges } from './plan.ts'
import { cniFolders, GATES_WITHOUT_NETWORK, wantsNetwork } from './pod-network.ts'
import { openPrepared } from './prepared-images.ts'
import { provideHost } from './provide-host.ts'
import { renderCluster } from './render.ts'
import { planRuntime } from './runtime-plan.ts'

const DEFAULT_TIMEOUT = '4m0s'

export interface ClusterUp {
  readonly config: InitConfig
  readonly gates: readonly GateResult[]
  readonly runtime: Pick<Runtime, 'name' | 'version'>
  /** Path of the kubectl that came with the kubelet. */
  readonly kubectl?: string
  /** What opens the uploaded certificates; undefined when none were uploaded. */
  readonly certificateKey?: string
  /** Keeps the images of a runtime of our own for the next init; gives the folder when there was something new. */
  readonly keepImages?: () => Promise<string | undefined>
  /** Milliseconds since the start, by what was reached. */
  readonly timings: Readonly<Record<string, number>>
}

/** Brings the cluster up. The journal gets every change before it is made. Throws a KubestepError that names the cause. */
export async function bringUp(phase: Phase, call: Call, journal: Journal): Promise<ClusterUp> {
  const { output, flags } = call
  const timings = startTimings()
  const deadline = AbortSignal.timeout(timerMilliseconds(flags.timeout ?? DEFAULT_TIMEOUT))
  const withNetwork = wantsNetwork(flags.cni)
  const gates = chosenGates(flags.wait ?? (withNetwork ? 'all' : GATES_WITHOUT_NETWORK))
  const services = serviceManager()
  if (!isSkipped('preflight', phase.config.init.skipPhases)) await refuseBadMachine(phase, flags, output)
  await provideHost(phase, call, journal)

  // What this machine is decides a little of the configuration, and what will change on it is written down first.
  const { config, machine, choice } = await readLiveNode(phase, call)
  const existing = choice.kind === 'socket' ? choice.runtime : undefined
  const { changes, network, naming } = await planRuntime(config, flags, existing)
  journal.record(...(await plannedChanges(config, existing, changes)))

  // Credentials and manifests on one side, binaries, runtime and images on the other.
  const now = new Date()
  const rendering = renderCluster({ ...phase, config }, call, now)
  rendering.catch(() => {})
  setSysctls(config.cluster.networking)
  // A runtime of our own begins empty.
  const fetched = existing === undefined && flags.artifacts === undefined ? pullOrder(imageList(config)) : []
  const binaries = await provideBinaries(config.cluster.kubernetesVersion, call, deadline, fetched)
  const cni = cniFolders(flags.cni, binaries.cniBinDir)
  const open = (): Promise<Runtime> => openChosenRuntime(choice, config, machine, services, cni, flags.mirror)
  const fetching = fetchingOf(flags, deadline, openReporter(output.say).onProgress)
  const prepared =
    existing === undefined ? await openPrepared(open, binaries.imageArchives, fetching.cacheDir) : undefined
  const runtime = prepared?.runtime ?? (await open())
  timings.mark('runtime')
  const images = loadImages(runtime, config, imageList(config), {
    archives: prepared?.archives ?? binaries.imageArchives,
    ...(naming !== undefined && { naming }),
    ...(flags.artifacts === undefined && { fetching }),
  })
  const rendered = await rendering
  const files = nodeFiles(config, rendered.files, phase.read, now)
  journal.record(...files.changed.map(fileChange))
  writeFiles('/', [...files.early, ...(network === undefined ? [] : [network])])
  if (files.link !== undefined) writeLink('/', files.link.path, files.link.target)
  makeDataFolder(config)
  if (withNetwork) await setRules(config.cluster.networking)
  await within(deadline, 'init: cannot load the first images', images.first)
  timings.mark('first images')

  // From here the kubelet runs the control plane; its objects go in as soon as the API server answers.
  if (!isSkipped('kubelet-start', config.init.skipPhases)) await services.start(kubeletService(binaries.kubelet))
  timings.mark('kubelet started')
  const ours = new Map(rendered.files.map(({ path, content }) => [path, content.toString()]))
  const read = (path: string): string | undefined => ours.get(path) ?? phase.read(path)
  const api = openAdminApi(config, read, flags['kubeconfig-dir'] ?? '/etc/kubernetes')
  const watched = contextOf(config, services, runtime.cri.socket, api)
  const done = new AbortController()
  try {
    const completing = completeCluster({
      config,
      api,
      images: images.all,
      late: files.late,
      objects: rendered.objects,
      ca: read(`${config.cluster.certificatesDir}/ca.crt`) ?? '',
      gates,
      deadline,
      mark: timings.mark,
    })
    const results = await Promise.race([completing, failure(watched, done.signal)])
    const { kubectl } = binaries
    const { certificateKey } = rendered
    const ids = prepared === undefined ? {} : await imageIds(runtime.cri)
    return {
      config,
      gates: results,
      runtime,
      ...(kubectl !== undefined && { kubectl }),
      ...(certificateKey !== undefined && { certificateKey }),
      ...(prepared !== undefined && { keepImages: () => prepared.keep(ids) }),
      timings: timings.marks(),
    }
  } catch (error) {
    done.abort()
    throw await explained(error, watched, timings.marks())
  } finally {
    done.abort()
    api.close()
    runtime.cri.close()
  }
}
