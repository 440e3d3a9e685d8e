/** Emptying a node before something is done to it, as kubectl drain does. */
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError } from '../base/errors.ts'
import { isObject, type Json, type JsonObject } from '../base/json.ts'
import { isSince, type Version } from '../base/version.ts'
import { type Api, refusal } from './api/api-client.ts'
import { patchObject } from './api/apply-object.ts'

const RETRY_MS = 500

/** Lets nothing new be scheduled there, or lets it again; false when it was so already. Throws an ApiError. */
export async function setCordon(api: Api, node: string, cordoned: boolean, deadline: AbortSignal): Promise<boolean> {
  const path = `/api/v1/nodes/${node}`
  const { spec } = (await api.get(path)) ?? {}
  if ((isObject(spec) && spec.unschedulable === true) === cordoned) return false
  await patchObject(api, path, { spec: { unschedulable: cordoned ? true : null } }, deadline)
  return true
}

/** Pods that a drain moves: not those of the node itself, nor of a DaemonSet, nor those that have ended. */
export function movable(pods: readonly JsonObject[]): readonly JsonObject[] {
  return pods.filter(({ metadata, status }) => {
    const { annotations, ownerReferences } = isObject(metadata) ? metadata : {}
    const isMirror = isObject(annotations) && 'kubernetes.io/config.mirror' in annotations
    const owners = Array.isArray(ownerReferences) ? (ownerReferences as readonly Json[]) : []
    const isDaemon = owners.some(owner => isObject(owner) && owner.kind === 'DaemonSet')
    const hasEnded = isObject(status) && ['Succeeded', 'Failed'].includes(String(status.phase))
    return !isMirror && !isDaemon && !hasEnded
  })
}

/**
 * Evicts what may be evicted and waits until it is gone; budgets of disruptions are waited for. Gives how many went.
 * Throws a KubestepError that names what is still there at the deadline, and an ApiError.
 */
export async function drain(api: Api, node: string, version: Version, deadline: AbortSignal): Promise<number> {
  const selector = encodeURIComponent(`spec.nodeName=${node}`)
  // Source: kubernetes CHANGELOG-1.22: policy/v1 for evictions.
  const apiVersion = isSince(version, '1.22') ? 'policy/v1' : 'policy/v1beta1'
  const gone = new Set<string>()
  for (;;) {
    const list = await api.get(`/api/v1/pods?fieldSelector=${selector}`)
    const left = movable(Array.isArray(list?.items) ? list.items.filter(isObject) : [])
    if (left.length === 0) return gone.size
    const names = left.map(({ metadata }) => metadata as { readonly name: string; readonly namespace: string })
    if (deadline.aborted) {
      const shown = names.map(({ namespace, name }) => `${namespace}/${name}`).join(', ')
      throw new KubestepError(
        `upgrade: cannot drain node "${node}" in time: ${shown} stays; see its PodDisruptionBudget, or leave --drain out`,
      )
    }
    await Promise.all(
      names.map(async ({ namespace, name }) => {
        gone.add(`${namespace}/${name}`)
        const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`
        const answer = await api.send('POST', path, { apiVersion, kind: 'Eviction', metadata: { name, namespace } })
        // 429: a budget forbids it for now. 404: it has gone by itself.
        if (answer.status >= 300 && ![404, 409, 429].includes(answer.status)) throw refusal('POST', path, answer)
      }),
    )
    await sleep(RETRY_MS)
  }
}
