/**
 * Static Pods after a kubelet has started: one of another minor version may make all of them anew, the API server among
 * them, some seconds after it has called its node Ready (seen from v1.35 to v1.36: their UIDs are hashes of all they hold).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { isObject, type JsonObject, objectsOf } from '../../base/json.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import type { Api } from '../../cluster/api/api-client.ts'
import { openCri } from '../../supply/cri/cri-client.ts'
import { type PodContainer, podContainers } from '../../supply/cri/pod-containers.ts'
import { unreachedGate } from '../run/healthy-again.ts'
import { readHere } from './upgrade-outlook.ts'

export interface StaticPod {
  readonly name: string
  readonly uid: string
}

const POLL_MS = 200

/** Waits until so many static Pods, which is all of them, run as the kubelet of the node has them. Throws a KubestepError. */
export async function awaitSettled(
  api: Api,
  node: string,
  count: number,
  socket: string,
  deadline: AbortSignal,
): Promise<void> {
  const cri = await openCri(socket)
  try {
    for (;;) {
      const why = await wantedPods(api, node)
        .then(async pods =>
          pods.length < count ? 'the kubelet has not read them' : unsettled(pods, await podContainers(cri)),
        )
        .catch(reasonOf)
      if (why === undefined) return
      if (deadline.aborted) throw new KubestepError(`upgrade: cannot bring static Pods up again in time: ${why}`)
      await sleep(POLL_MS)
    }
  } finally {
    cri.close()
  }
}

/** How long CoreDNS may take to be another; where its new image is not on a node yet it is not waited for. */
const ROLLS_OUT_WITHIN_MS = 60_000

/** Waits until the control plane is healthy, and CoreDNS the new one. Throws a KubestepError for the control plane alone. */
export async function awaitHealthy(
  config: InitConfig,
  api: Api,
  deadline: AbortSignal,
  warn: (line: string) => void,
): Promise<void> {
  const broken = await unreachedGate('api,control-plane,node', { config, read: readHere }, deadline)
  if (broken !== undefined)
    throw new KubestepError(`upgrade: cannot see that the control plane is healthy: ${broken}; run it again when it is`)
  const patience = AbortSignal.any([deadline, AbortSignal.timeout(ROLLS_OUT_WITHIN_MS)])
  for (;;) {
    const coredns = await api.get('/apis/apps/v1/namespaces/kube-system/deployments/coredns')
    if (coredns === undefined || isRolledOut(coredns)) return
    if (patience.aborted)
      return warn('[upgrade/addon] CoreDNS is not rolled out yet; see kubectl -n kube-system get pods')
    await sleep(POLL_MS)
  }
}

/** Whether all that a Deployment has are new, and serve. */
export function isRolledOut({ metadata, spec, status }: JsonObject): boolean {
  const [{ generation }, { replicas = 1 }, is] = [metadata, spec, status].map(one => (isObject(one) ? one : {})) as [
    JsonObject,
    JsonObject,
    JsonObject,
  ]
  const isSeen = Number(is.observedGeneration ?? 0) >= Number(generation ?? 0)
  return isSeen && ['replicas', 'updatedReplicas', 'availableReplicas'].every(key => (is[key] ?? 0) === replicas)
}

/** What a kubelet says that it has to run of files. */
async function wantedPods(api: Api, node: string): Promise<readonly StaticPod[]> {
  const list = await api.get(`/api/v1/nodes/${node}/proxy/pods`)
  return objectsOf(list?.items).flatMap(({ metadata }) => {
    const { name, uid, annotations } = isObject(metadata) ? metadata : {}
    const isOfFile = isObject(annotations) && annotations['kubernetes.io/config.source'] === 'file'
    return isOfFile ? [{ name: String(name), uid: String(uid) }] : []
  })
}

/** The first Pod of which none runs, or an earlier one still does; undefined when there is none. */
export function unsettled(
  pods: readonly StaticPod[],
  containers: readonly Pick<PodContainer, 'pod' | 'uid' | 'state'>[],
): string | undefined {
  const running = containers.filter(({ state }) => state === 'running')
  for (const { name, uid } of pods) {
    const own = running.filter(({ pod }) => pod === name)
    if (own.some(container => container.uid !== uid)) return `${name} of before still runs`
    if (own.length === 0) return `${name} does not run`
  }
  return undefined
}
