/** The objects of the new version into the API server; what was there is written down first. */

import { isObject } from '../../base/json.ts'
import { formatVersion, isSince } from '../../base/version.ts'
import type { Call } from '../../cli/script.ts'
import type { Api } from '../../cluster/api/api-client.ts'
import { applyObject, patchObject } from '../../cluster/api/apply-object.ts'
import { runningVersions } from '../../cluster/api/running-versions.ts'
import { isSocketNodeLocal } from '../../kubeadm/kubelet/instance-config.ts'
import { readHostFacts } from '../../machine/host/read-facts.ts'
import { loadPatches } from '../run/user-patches.ts'
import { sayEdits } from './planned-files.ts'
import { plannedObjects } from './planned-objects.ts'
import { readUnfinished, type Unfinished, writeUnfinished } from './unfinished.ts'
import { isNamedBy } from './upgrade-phases.ts'

const DONE: Readonly<Record<string, string>> = {
  'upload-config/kubeadm':
    '[upgrade/upload-config] Storing the configuration used in ConfigMap "kubeadm-config" in the "kube-system" Namespace',
  'upload-config/kubelet':
    '[upgrade/upload-config] Creating a ConfigMap "kubelet-config" in namespace kube-system with the configuration for the kubelets in the cluster',
  'bootstrap-token': '[upgrade/bootstrap-token] Configuring bootstrap token and cluster-info RBAC rules',
  'addon/coredns': '[addons] Applied essential addon: CoreDNS',
  'addon/kube-proxy': '[addons] Applied essential addon: kube-proxy',
}

/** Applies those of the given phases that are asked for. Throws an ApiError. */
export async function putObjects(
  call: Call,
  upgrade: Unfinished,
  api: Api,
  phases: readonly string[],
  deadline: AbortSignal,
): Promise<void> {
  const { output } = call
  const { addonsFrom, to, request } = upgrade
  const steps = request.steps.filter(step => isNamedBy(step, phases))
  if (steps.length === 0) return
  const lagging = phases.includes('addon') ? await laggingControlPlanes(api, upgrade) : []
  if (lagging.length > 0) {
    output.say(
      `[upgrade/addon] Skipping upgrade of addons because control plane instances [${lagging.join(' ')}] have not been upgraded`,
    )
    return
  }
  const plan = { addonsFrom, to, facts: readHostFacts('/'), apply: loadPatches({ config: to }, output) }
  const objects = await plannedObjects(api, plan, steps)
  sayEdits(
    objects.map(({ resource, name, edits }) => ({ path: `${resource}/${name}`, edits })),
    output.say,
  )
  const known = upgrade.objects ?? []
  writeUnfinished({
    ...upgrade,
    objects: [...known, ...objects.map(({ object, before }) => ({ object, before: before ?? null }))],
  })
  await Promise.all(objects.map(({ object }) => applyObject(api, object, { deadline })))
  if (steps.includes('upload-config/kubelet')) await moveSocket(api, upgrade, deadline)
  for (const step of steps) if (DONE[step] !== undefined) output.say(DONE[step])
}

/** Nodes whose API server has another image than this one's will have. Source: kubeadm UnupgradedControlPlaneInstances (v1.36). */
async function laggingControlPlanes(api: Api, { to }: Unfinished): Promise<readonly string[]> {
  const { apiservers } = await runningVersions(api)
  const version = formatVersion(to.version)
  return Object.entries(apiservers).flatMap(([tag, nodes]) => (tag === version.replaceAll('+', '_') ? [] : nodes))
}

const ANNOTATION = 'kubeadm.alpha.kubernetes.io/cri-socket'

/** Where instance-config.yaml keeps the socket, the Node does not. Source: kubeadm phases/patchnode (v1.36). */
async function moveSocket(api: Api, upgrade: Unfinished, deadline: AbortSignal): Promise<void> {
  const { to } = upgrade
  if (!isSocketNodeLocal(to) && !isSince(to.kubeadm, '1.36')) return
  const { name } = to.init.nodeRegistration
  const { metadata } = (await api.get(`/api/v1/nodes/${name}`)) ?? {}
  const socket = isObject(metadata) && isObject(metadata.annotations) ? metadata.annotations[ANNOTATION] : undefined
  if (typeof socket !== 'string') return
  writeUnfinished({ ...(readUnfinished() ?? upgrade), socket })
  await setSocket(api, name, null, deadline)
}

/** Annotates a Node with its runtime's socket, or takes that away. Throws an ApiError. */
export async function setSocket(api: Api, node: string, socket: string | null, deadline: AbortSignal): Promise<void> {
  await patchObject(api, `/api/v1/nodes/${node}`, { metadata: { annotations: { [ANNOTATION]: socket } } }, deadline)
}
