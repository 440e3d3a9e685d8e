/** The road of a real init, from top to bottom. */

import { within } from '../../base/deadline.ts'
import { DEFAULT_TIMEOUT } from '../../base/defaults.ts'
import { timerMilliseconds } from '../../base/duration.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { startTimings } from '../../base/stopwatch.ts'
import type { Call } from '../../cli/script.ts'
import { openAdminApi } from '../../cluster/api/admin-api.ts'
import { contextOf, type DiagnosisContext } from '../../cluster/diagnose/diagnosis-context.ts'
import { chosenGates } from '../../cluster/ready/gate-context.ts'
import type { GateResult } from '../../cluster/ready/wait-gates.ts'
import { isSkipped } from '../../kubeadm/config/phase-names.ts'
import { overlay } from '../../machine/file-overlay.ts'
import { makeOwnFolder, writeFiles, writeLink } from '../../machine/files.ts'
import { liveHost } from '../../machine/host/host-source.ts'
import type { Journal } from '../../machine/journal.ts'
import { GATES_WITHOUT_NETWORK, wantsNetwork } from '../../machine/network/pod-network.ts'
import { kubeletService } from '../../machine/service/kubelet-service.ts'
import { serviceManager } from '../../machine/service/manager.ts'
import { cacheDirOf } from '../../supply/components/fetch-options.ts'
import { placesOf } from '../../supply/runtime/registry-folder.ts'
import type { Runtime } from '../../supply/runtime/runtime.ts'
import { AGENT_CHANGE, BALANCER_CHANGE, startAgent, startBalancer } from '../agent/agent-service.ts'
import { bootedNodes } from '../agent/booted-nodes.ts'
import { expectingParts, expectsNodes } from '../agent/expected-nodes.ts'
import { refuseTakenPorts } from '../agent/port-forwards.ts'
import { finalFiles } from '../kubelet-finalize.ts'
import { bindFolders } from '../nodes/given-folders.ts'
import { otherKubelets, otherVersions } from '../nodes/node-kubelets.ts'
import { plannedNodes, portForwardsOf } from '../nodes/node-plan.ts'
import { givePrograms, keepNodeProgram } from '../nodes/node-programs.ts'
import { addressOfNode, prepareForNodes, startNodes } from '../nodes/start-nodes.ts'
import { makeDataFolder } from '../run/data-folder.ts'
import { firstLook } from '../run/first-look.ts'
import { registryNotice } from '../run/live-runtime.ts'
import { fileChange } from '../run/record-changes.ts'
import { planAddons } from './addon-plan.ts'
import type { ImageSteps } from './cluster-images.ts'
import { completeCluster } from './complete-cluster.ts'
import { explained, failure } from './failed-run.ts'
import type { PhaseOfNodes } from './given-nodes.ts'
import { type SupplyRun, supplyBinaries, supplyHost, supplyRuntime } from './node-supply.ts'
import { letPodsThrough } from './pod-firewall.ts'
import { givePrepared } from './prepared-images.ts'
import { type RenderedCluster, renderCluster } from './render-cluster.ts'

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
export async function bringUp(phase: PhaseOfNodes, call: Call, journal: Journal): Promise<ClusterUp> {
  const { output, flags } = call
  const timings = startTimings()
  const deadline = AbortSignal.timeout(timerMilliseconds(flags.timeout ?? DEFAULT_TIMEOUT))
  const withNetwork = wantsNetwork(flags.cni)
  const gates = chosenGates(flags.wait ?? (withNetwork ? 'all' : GATES_WITHOUT_NETWORK))
  const services = serviceManager()

  // What this machine and the folder of --artifacts are decides a little of the configuration, or that nothing is begun.
  const look = await firstLook(phase, call)
  const { config, choice } = look
  const existing = choice.kind === 'socket' ? choice.runtime : undefined
  const notice = registryNotice(flags.registry, existing)
  const addons = planAddons(config, flags, liveHost())
  for (const line of [...(notice === undefined ? [] : [notice]), ...addons.notices]) output.warn(line)

  const versions = otherVersions(phase.nodes, config.cluster.kubernetesVersion)
  const kubelets = await otherKubelets(versions, flags, deadline)
  await refuseTakenPorts(portForwardsOf(phase.nodes, () => ''))

  timings.mark('checked')

  // From here on the machine changes; what will change is written down first.
  const run = { call, deadline, mark: timings.mark }
  const plan = await supplyHost(phase, look, journal, run)

  // Credentials and manifests on one side; binaries, runtime and images on the other.
  const now = new Date()
  const rendering = renderCluster({ ...phase, config }, call, now)
  rendering.catch(() => {})
  const supply = await supplyBinaries(look, plan, run)
  const { binaries } = supply
  const { network } = plan
  const done = new AbortController()
  let watched: DiagnosisContext | undefined
  const opened: { readonly close: () => unknown }[] = []
  try {
    const supplying = supplyRuntime(look, plan, supply, run)
    supplying.catch(() => {})
    opened.push({
      close: () =>
        supplying.then(
          ({ runtime }) => runtime.cri.close(),
          () => {},
        ),
    })
    // While it starts, the node gets its files.
    const rendered = await rendering
    const node = finalFiles(config, rendered.due('kubelet').files, phase.read, now)
    journal.record(...node.changed.map(fileChange))
    writeFiles('/', [...node.files, ...(network === undefined ? [] : [network])])
    if (node.link !== undefined) writeLink('/', node.link.path, node.link.target)
    makeDataFolder(config)
    // A kubelet that does not find it looks again after a second, and not when something comes.
    makeOwnFolder('/', KUBERNETES.manifests, 0o700)
    const startsKubelet = !isSkipped('kubelet-start', config.init.skipPhases)
    const preparing = startsKubelet ? services.prepare(kubeletService(binaries.kubelet)) : undefined
    preparing?.catch(() => {})
    await bindFolders(phase.nodes[0]?.folders ?? [], journal)
    const planned = plannedNodes(phase.nodes, config.init.nodeRegistration.name)
    const ranges = planned.length === 0 ? [] : await prepareForNodes(config, planned, journal)
    if (planned.length > 0) keepNodeProgram()
    // No Pod has an address of its own before the API server answers.
    const letting = withNetwork ? letPodsThrough(config, journal) : Promise.resolve()
    letting.catch(() => {})
    const { runtime, images, isPrepared, keepImages } = await supplying

    // The kubelet runs the control plane as its images come; its objects go in as soon as the API server answers.
    const start = await preparing
    if (start !== undefined) {
      output.say('[kubelet-start] Starting the kubelet')
      await start()
    }
    timings.mark('kubelet started')
    const serving = giveStaticPods(images, rendered, run)
    serving.catch(() => {})
    const read = overlay(rendered.files, phase.read)
    const api = openAdminApi(config, read, flags['kubeconfig-dir'] ?? KUBERNETES.folder)
    opened.push(api)
    watched = contextOf(config, services, runtime.cri.socket, api)
    const parts = {
      ...(expectsNodes(config, flags) &&
        expectingParts(config, network?.path, { addons: addons.addons, ...registryOf(config, flags) })),
      ...addons.parts,
      ...(planned.length > 0 && { [bootedNodes.name]: {} }),
    }
    const settings = { node: config.init.nodeRegistration.name, parts }
    const hasAgent = Object.keys(parts).length > 0
    if (hasAgent) journal.record(AGENT_CHANGE)
    // It loads while the kubelet does, and not when the API server wants the processor.
    const agent = serving.then(() => (hasAgent ? startAgent(services, settings) : undefined))
    agent.catch(() => {})
    const forwards = portForwardsOf(phase.nodes, index => addressOfNode(config, ranges, index))
    if (config.balancerPort !== undefined || forwards.length > 0) journal.record(BALANCER_CHANGE)
    const balancer = serving.then(() => startBalancer(services, config, forwards))
    balancer.catch(() => {})
    const nodes = startNodes(planned, {
      config,
      call,
      api,
      deadline,
      ranges,
      first: phase.nodes[0]?.labels ?? {},
      givePrograms: async ({ name, version = '' }) =>
        givePrograms(name, { ...binaries, kubelet: (await kubelets.get(version)) ?? binaries.kubelet }),
      giveImages: async root => givePrepared(await binaries.images.all, cacheDirOf(flags), root),
      // The first init on a machine makes what the nodes begin with.
      imagesKept: isPrepared ? Promise.resolve() : images.all.then(keepImages),
    })
    const completing = completeCluster({
      config,
      api,
      cri: runtime.cri,
      images,
      rendered,
      ca: read(`${config.cluster.certificatesDir}/ca.crt`) ?? '',
      gates,
      startBeside: async () => {
        await Promise.all([agent, balancer])
        nodes.admit()
      },
      deadline,
      mark: timings.mark,
      output,
    })
    const together = nodes.ready.then(() => (planned.length > 0 ? timings.mark('nodes') : undefined))
    const gated = Promise.all([completing, together, letting]).then(([reached]) => reached)
    const results = await Promise.race([
      gated,
      failure(watched, done.signal),
      faultOf(Promise.all([letting, images.all, serving])),
    ])
    const { kubectl } = binaries
    const { certificateKey } = rendered
    return {
      config,
      gates: results,
      runtime,
      ...(kubectl !== undefined && { kubectl }),
      ...(certificateKey !== undefined && { certificateKey }),
      ...(keepImages !== undefined && { keepImages }),
      timings: timings.marks(),
    }
  } catch (error) {
    done.abort()
    const run = {
      name: call.name,
      marks: timings.marks(),
      afterMs: timings.elapsed(),
      ...(watched !== undefined && { watched }),
    }
    throw await explained(error, run)
  } finally {
    done.abort()
    for (const connection of opened) connection.close()
  }
}

/** Gives the kubelet etcd and the API server, each when its image is in. */
async function giveStaticPods(
  images: ImageSteps,
  { due }: RenderedCluster,
  { deadline, mark }: SupplyRun,
): Promise<void> {
  await within(deadline, 'cannot load the first images', images.first)
  mark('first images')
  writeFiles('/', due('etcd').files)
  await images.apiserver
  writeFiles('/', due('apiserver').files)
}

/** What a registry of the job is for nodes that join. */
function registryOf({ init }: InitConfig, { registry }: Call['flags']): { readonly registry?: string } {
  return registry === undefined ? {} : { registry: placesOf(registry, init.localAPIEndpoint.advertiseAddress) }
}

/** Fails when that does, and never ends otherwise. */
function faultOf(work: Promise<unknown>): Promise<never> {
  return work.then(() => new Promise<never>(() => {}))
}
