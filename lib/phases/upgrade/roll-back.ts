/** An upgrade that has begun, taken back: kubelet, static Pods, etcd's data where they were touched, objects. */
import { timerMilliseconds } from '../../base/duration.ts'
import { KubestepError } from '../../base/errors.ts'
import { KUBERNETES } from '../../base/paths.ts'
import { formatVersion, parseVersion } from '../../base/version.ts'
import { commandOf } from '../../cli/invocation.ts'
import type { Call } from '../../cli/script.ts'
import { waitForApi } from '../../cluster/api/admin-api.ts'
import type { Api } from '../../cluster/api/api-client.ts'
import { applyObject } from '../../cluster/api/apply-object.ts'
import { nameOf, objectPath } from '../../cluster/api/resources.ts'
import { setCordon } from '../../cluster/drain.ts'
import { etcdTag } from '../../kubeadm/images/image-list.ts'
import type { ComponentName } from '../../kubeadm/manifests/static-pods.ts'
import { alone } from '../run/machine-session.ts'
import { restoreData } from './etcd-copies.ts'
import { awaitNode, isKubeletReplaced, startOldKubelet } from './new-kubelet.ts'
import { openNodeApi, podWatch } from './node-access.ts'
import { plain } from './planned-objects.ts'
import { setSocket } from './put-objects.ts'
import { replacePod, stopApiServer, stopPod } from './replaced-pod.ts'
import { type ChangedFile, forgetUnfinished, readUnfinished, type Unfinished } from './unfinished.ts'
import { readHere } from './upgrade-outlook.ts'

/** How long a kubelet that was started again is waited for; without an API server it hears from none. */
const HEARS_WITHIN_MS = 30_000

/** Takes back the upgrade that has begun on this node. Throws a KubestepError when there is none. */
export function rollBackUnfinished(call: Call): Promise<void> {
  const advice = `run it again: ${commandOf('upgrade', true)} rollback`
  return alone(call.name, advice, async () => {
    const upgrade = readUnfinished()
    if (upgrade === undefined) {
      throw new KubestepError(
        'upgrade: cannot take back: no upgrade has begun on this node; one that was finished stays, see "etcd snapshot restore" for its data',
      )
    }
    await rollBack(call, upgrade)
    call.output.say(`[upgrade] This node runs ${formatVersion(upgrade.from.version)} again`)
  })
}

/** Takes everything back; `failed` is what did not come up. Throws a KubestepError, and then it can be tried again. */
export async function rollBack(call: Call, upgrade: Unfinished, failed?: ComponentName): Promise<void> {
  const { output, flags } = call
  const { from, files, request, isControlPlane } = upgrade
  const { name } = from.init.nodeRegistration
  const api = openNodeApi(upgrade, call)
  const limitMs = timerMilliseconds(flags.timeout ?? request.timeouts.upgradeManifests)
  try {
    // A kubelet must not be newer than the API server, so it goes first; one that was not touched stays untouched, for
    // it replaces no static Pod as long as it has not heard from the API server.
    const kubelets = files.filter(file => file.component === undefined && !isAsBefore(file))
    const isReplaced = isKubeletReplaced()
    if (kubelets.length > 0 || isReplaced) {
      await startOldKubelet(files.filter(({ component }) => component === undefined))
      output.say('[upgrade] The kubelet is as before')
      // One that has just started takes minutes for a manifest that changes before it has heard from the API server.
      const heard = AbortSignal.timeout(HEARS_WITHIN_MS)
      if (isReplaced) await awaitNode(api, name, formatVersion(from.version), heard).catch(() => {})
    }
    for (const file of inOrder(files)) {
      const { component, path, mode, before } = file
      if (component === undefined || before === undefined || isAsBefore(file)) continue
      const watch = { ...podWatch({ ...upgrade, to: from }, api, call), limitMs: () => limitMs }
      if (component === 'etcd')
        await stopApiServer(
          files.filter(other => !isAsBefore(other)),
          watch,
        )
      if (component === 'etcd' && restoresData(upgrade, failed)) {
        await stopPod(component, path, watch)
        const { dataDir = KUBERNETES.etcd } = from.cluster.etcd.local ?? {}
        if (restoreData(dataDir)) output.say(`[upgrade/etcd] The data in "${dataDir}" are those of before`)
      }
      await replacePod(component, { path, mode, content: before }, watch)
      output.say(`[upgrade/staticpods] Component "${component}" is as before`)
    }
    const deadline = AbortSignal.timeout(limitMs)
    if (upgrade.cordoned) await setCordon(api, name, false, deadline)
    if (upgrade.socket !== undefined) await setSocket(api, name, upgrade.socket, deadline)
    if (isControlPlane && upgrade.objects !== undefined) await putBack(api, upgrade.objects, deadline)
    forgetUnfinished()
  } finally {
    api.close()
  }
}

/**
 * Nothing may be newer than the API server, so it goes last; after etcd, without which it would end soon after it was
 * waited for.
 */
const LAST: readonly (ComponentName | undefined)[] = ['etcd', 'kube-apiserver']

function inOrder(files: readonly ChangedFile[]): readonly ChangedFile[] {
  return files.toReversed().toSorted((a, b) => LAST.indexOf(a.component) - LAST.indexOf(b.component))
}

function isAsBefore({ path, before }: ChangedFile): boolean {
  return readHere(path) === before
}

/**
 * Data that a newer etcd has served stay, lest what was written since be lost, where the old one can read them. Source:
 * etcd's documentation of downgrades: within a minor version nothing is converted.
 */
function restoresData({ from, to }: Unfinished, failed: ComponentName | undefined): boolean {
  const [old, fresh] = [from, to].map(config => parseVersion(etcdTag(config)))
  return failed === 'etcd' || old === undefined || fresh === undefined || old.minor !== fresh.minor
}

/** Puts objects back as they were, those that were not there away. What is the server's own it would refuse. Throws an ApiError. */
export async function putBack(
  api: Api,
  objects: NonNullable<Unfinished['objects']>,
  deadline: AbortSignal,
): Promise<void> {
  await waitForApi(api, deadline, '/readyz')
  // Of one that was written twice the first is what was there before.
  const first = new Map(objects.toReversed().map(row => [objectPath(nameOf(row.object)), row]))
  await Promise.all(
    [...first].map(async ([path, { before }]) => {
      if (before === null) await api.send('DELETE', path)
      else await applyObject(api, plain(before), { deadline })
    }),
  )
}
