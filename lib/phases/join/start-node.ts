/** Phase `kubelet-start` of a join: how the kubelet gets into the cluster, its settings, and its start. */

import { within } from '../../base/deadline.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { bootstrapKubeconfig } from '../../kubeadm/credentials/bootstrap-kubeconfig.ts'
import { type FileEntry, makeOwnFolder } from '../../machine/files.ts'
import { liveHost } from '../../machine/host/host-source.ts'
import { KUBELET, kubeletService } from '../../machine/service/kubelet-service.ts'
import { serviceManager } from '../../machine/service/manager.ts'
import { AGENT_CHANGE, startAgent } from '../agent/agent-service.ts'
import { routeParts } from '../agent/expected-nodes.ts'
import { nodeAddons } from '../init/addon-plan.ts'
import { letPodsThrough } from '../init/pod-firewall.ts'
import { kubeletStart } from '../kubelet-start.ts'
import { makeDataFolder } from '../run/data-folder.ts'
import { deliverFiles } from '../run/deliver.ts'
import { givenOf, type OpenedPhase } from '../run/open-phase.ts'
import type { JoinRun } from './join-run.ts'

/** Source: kubeadm cmd/phases/join/kubelet.go (v1.36). */
export async function startNode(run: JoinRun): Promise<void> {
  const { call, dryRun, role, deadline, journal, timings } = run
  const { output } = call
  const node = await run.node()
  if (dryRun) {
    const rendered = await kubeletStart.render(givenOf(node, call))
    deliverFiles({ ...rendered, files: [...(await identityFiles(run, node)), ...rendered.files] }, node, output)
    output.say('[dryrun] Would start the kubelet')
    return
  }
  const [{ config }, supply] = [await run.look(), await run.supply()]
  await within(deadline, 'cannot load the first images', supply.images.first)
  if (role === 'control-plane') await within(deadline, 'cannot load the images', supply.images.apiserver)
  timings.mark('first images')
  const rendered = await kubeletStart.render({ ...givenOf(node, call), config })
  deliverFiles({ ...rendered, files: [...(await identityFiles(run, node)), ...rendered.files] }, node, output)
  if (role === 'control-plane') {
    makeDataFolder(config)
    // A kubelet that does not find it looks again only seconds later.
    makeOwnFolder('/', KUBERNETES.manifests, 0o700)
  }
  const services = serviceManager()
  output.say('[kubelet-start] Starting the kubelet')
  await services.stop(KUBELET)
  await services.start(kubeletService(supply.binaries.kubelet))
  timings.mark('kubelet started')
  if (supply.network !== undefined) await letPodsThrough(config, journal)
  const { name } = config.init.nodeRegistration
  const parts = {
    ...(supply.network !== undefined && routeParts(config, supply.network.path)),
    ...nodeAddons((await run.shared()).addons, name, liveHost()),
  }
  if (Object.keys(parts).length === 0) return
  journal.record(AGENT_CHANGE)
  await startAgent(services, { node: name, parts })
}

/** Whom the kubelet asks for its certificate, and by which CA it knows the cluster. */
async function identityFiles(run: JoinRun, node: OpenedPhase): Promise<FileEntry[]> {
  const cluster = await run.cluster()
  const caPath = run.config.caCertPath
  return [
    { path: KUBERNETES.bootstrapConf, mode: 0o600, content: bootstrapKubeconfig(node.config, cluster) },
    ...(node.read(caPath) === undefined ? [{ path: caPath, mode: 0o644, content: cluster.ca }] : []),
  ]
}
