/** The road of an upgrade of this node, from top to bottom; killed anywhere, it is gone on with by running it again. */
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { formatVersion } from '../../base/version.ts'
import { commandOf } from '../../cli/invocation.ts'
import type { Call } from '../../cli/script.ts'
import type { Api } from '../../cluster/api/api-client.ts'
import { patientApi } from '../../cluster/api/patient-api.ts'
import { drain, setCordon } from '../../cluster/drain.ts'
import { imageOf } from '../../kubeadm/images/image-list.ts'
import { localComponents } from '../../kubeadm/manifests/manifests.ts'
import { localNodes } from '../../machine/local-node/local-node.ts'
import { alone } from '../run/machine-session.ts'
import { beginUpgrade } from './begin-upgrade.ts'
import { copyData } from './etcd-copies.ts'
import { upgradeLocalNodes } from './local-nodes.ts'
import { awaitNode, startNewKubelet } from './new-kubelet.ts'
import { openNodeApi, podWatch, timeLeft } from './node-access.ts'
import { putObjects } from './put-objects.ts'
import { OF_ADMINS, RENEWED_WITH, renewWith } from './renewed-credentials.ts'
import { awaitWrittenPod, type PodWatch, replacePod, stopApiServer, stopPod } from './replaced-pod.ts'
import { rollBack } from './roll-back.ts'
import { awaitHealthy, awaitSettled } from './settled-pods.ts'
import { entryOf, forgetUnfinished, isWritten, readUnfinished, type Unfinished, writeUnfinished } from './unfinished.ts'
import { isNamedBy } from './upgrade-phases.ts'
import type { UpgradeRequest } from './upgrade-request.ts'

/** Upgrades this node as asked for, or finishes what has begun. Throws a KubestepError. */
export function applyUpgrade(call: Call, request: UpgradeRequest): Promise<void> {
  const advice = `run it again to go on, or take it back: ${commandOf('upgrade', true)} rollback`
  return alone(call.name, advice, async () => {
    const begun = readUnfinished()
    if (begun !== undefined) refuseAnother(begun, request)
    const upgrade = begun ?? (await beginUpgrade(call, request))
    if (begun !== undefined) call.output.say(`[upgrade] Going on with the upgrade to ${nameOf(begun)} that has begun`)
    await finish(call, upgrade)
    if (request.command === 'apply' && request.isWhole) await upgradeLocalNodes(call)
  })
}

export function nameOf({ to }: Pick<Unfinished, 'to'>): string {
  return to.cluster.kubernetesVersion
}

function refuseAnother(begun: Unfinished, { command, version }: UpgradeRequest): void {
  if (begun.request.command === command && (version === undefined || version === nameOf(begun))) return
  throw new KubestepError(
    `upgrade: cannot begin: "upgrade ${begun.request.command}" to ${nameOf(begun)} has begun on this node; finish it with that command, or take it back with "upgrade rollback"`,
  )
}

async function finish(call: Call, upgrade: Unfinished): Promise<void> {
  const { output, flags } = call
  const { to, request, isControlPlane } = upgrade
  const wants = (phase: string): boolean => request.steps.some(step => isNamedBy(step, [phase]))
  const direct = openNodeApi(upgrade, call)
  try {
    if (wants('control-plane') && isControlPlane) await replacePods(call, upgrade, podWatch(upgrade, direct, call))
    const deadline = AbortSignal.timeout(timeLeft(flags, request.timeouts.upgradeManifests))
    const api = patientApi(direct, deadline)
    const before = ['upload-config', 'bootstrap-token'].filter(wants)
    if (isControlPlane) await putObjects(call, upgrade, api, before, deadline)
    if (wants('kubelet-config')) await replaceKubelet(call, upgrade, api, deadline)
    if (isControlPlane && wants('addon')) await putObjects(call, readUnfinished() ?? upgrade, api, ['addon'], deadline)
    if (isControlPlane) await awaitHealthy(to, api, deadline, output.warn)
    forgetUnfinished()
  } finally {
    direct.close()
  }
  if (!request.isWhole) return
  const { name } = to.init.nodeRegistration
  output.event('upgraded', {
    nodeName: name,
    from: formatVersion(upgrade.from.version),
    kubernetesVersion: nameOf(upgrade),
  })
  const what = isControlPlane && request.command === 'apply' ? 'the control plane node' : 'the node'
  output.say(`[upgrade] SUCCESS! ${what} "${name}" was upgraded to "${nameOf(upgrade)}".`)
  if (request.command === 'apply' && localNodes().length === 0)
    output.say('[upgrade] Now please proceed with upgrading the rest of the nodes by following the right order.')
}

/** One after the other; what does not come up is taken back, and with it what was replaced before. */
async function replacePods(call: Call, upgrade: Unfinished, watch: PodWatch): Promise<void> {
  const { output } = call
  const { from, to, files } = upgrade
  const pods = files.flatMap(file => (file.component === undefined ? [] : [{ ...file, component: file.component }]))
  if (pods.length === 0) output.say('[upgrade/staticpods] Current and new manifests are equal, skipping upgrade')
  for (const file of pods) {
    const { component, path } = file
    const isEtcdNew = component === 'etcd' && imageOf('etcd', from) !== imageOf('etcd', to)
    try {
      if (isWritten(file)) {
        await awaitWrittenPod(component, path, watch)
        continue
      }
      await renewWith(upgrade, RENEWED_WITH[component])
      const task = output.begin(component, `[upgrade/staticpods] Replacing the static Pod of ${component}`)
      if (isEtcdNew) {
        await stopApiServer(
          pods.filter(other => !isWritten(other)),
          watch,
        )
        await stopPod(component, path, watch)
        copyData(to.cluster.etcd.local?.dataDir ?? KUBERNETES.etcd)
      }
      await replacePod(component, entryOf(file), watch)
      task.done(`[upgrade/staticpods] Component "${component}" upgraded successfully!`)
    } catch (error) {
      if (!(error instanceof KubestepError)) throw error
      output.warn(error.message)
      output.say(`[upgrade] Taking back what was replaced of ${formatVersion(to.version)}`)
      await rollBack(call, upgrade, component).catch((fault: unknown) => {
        throw new KubestepError(`${error.message}\n${reasonOf(fault)}`)
      })
      throw new KubestepError(`${error.message}\nthis node runs ${formatVersion(from.version)} again, as before`, {
        cause: error,
      })
    }
  }
  if (pods.length > 0) await renewWith(upgrade, OF_ADMINS)
}

async function replaceKubelet(call: Call, upgrade: Unfinished, api: Api, deadline: AbortSignal): Promise<void> {
  const { output, flags } = call
  const { to, files, kubelet, isControlPlane } = upgrade
  const { name } = to.init.nodeRegistration
  const changed = files.filter(({ component }) => component === undefined)
  if (flags.drain) {
    if (await setCordon(api, name, true, deadline))
      writeUnfinished({ ...(readUnfinished() ?? upgrade), cordoned: true })
    output.say(
      `[upgrade/kubelet-config] Evicted ${await drain(api, name, to.version, deadline)} Pods from node "${name}"`,
    )
  }
  if (changed.length > 0 || kubelet !== undefined) await startNewKubelet(changed)
  const runs = await awaitNode(api, name, kubelet === undefined ? undefined : nameOf(upgrade), deadline)
  const { criSocket } = to.init.nodeRegistration
  if (isControlPlane) await awaitSettled(api, name, localComponents(to).length, criSocket, deadline)
  if (readUnfinished()?.cordoned) await setCordon(api, name, false, deadline)
  output.say('[upgrade/kubelet-config] The kubelet configuration for this node was successfully upgraded!')
  if (runs === nameOf(upgrade)) output.say(`[upgrade/kubelet-config] The kubelet is ${runs} now`)
  else
    output.say(
      `[upgrade/kubelet-config] The kubelet stays ${runs}, as it is not one of ours: upgrade its package to ${nameOf(upgrade)}, then start it again`,
    )
}
