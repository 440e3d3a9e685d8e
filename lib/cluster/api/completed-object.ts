/** Cluster objects with what only the live cluster knows: who owns them, which taints a Node has, what users changed. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Json, type JsonObject, objectOf } from '../../base/json.ts'
import type { ClusterObject } from '../../kubeadm/objects/cluster-object.ts'
import { type Api, ApiError } from './api-client.ts'
import { nameOf, objectPath } from './resources.ts'

const POLL_MS = 100

/**
 * The object to create, or the patch, as this cluster needs it; asks only where something is to be filled in.
 * Throws an ApiError when what it needs does not appear before the deadline.
 */
export async function completed(
  api: Api,
  { verb, name, object }: ClusterObject,
  deadline: AbortSignal,
): Promise<JsonObject> {
  if (verb === 'PATCH') {
    const { taints } = objectOf(object.spec)
    if (!Array.isArray(taints)) return object
    const node = await appears(api, `/api/v1/nodes/${name}`, isLabelled, deadline)
    return { ...object, spec: { ...objectOf(object.spec), taints: mergedTaints(taints, objectOf(node.spec).taints) } }
  }
  const { ownerReferences, ...metadata } = objectOf(object.metadata)
  if (!Array.isArray(ownerReferences)) return object
  const owners = ownerReferences.map(async (reference: JsonObject): Promise<JsonObject> => {
    const { apiVersion, kind, name: owner } = nameOf({ ...reference, metadata: { name: reference.name ?? '' } })
    const path = objectPath({ apiVersion, kind, name: owner, namespace: String(metadata.namespace) })
    const { uid } = objectOf((await appears(api, path, () => true, deadline)).metadata)
    return { ...reference, uid: uid ?? '' }
  })
  return { ...object, metadata: { ...metadata, ownerReferences: await Promise.all(owners) } }
}

/** The wanted ones, then those that are there and are none of them. Source: kubeadm phases/markcontrolplane (v1.36). */
export function mergedTaints(wanted: readonly Json[], present: Json | undefined): readonly Json[] {
  const key = (taint: Json): string => {
    const { key: name, value, effect } = objectOf(taint)
    return `${name}=${value ?? ''}:${effect}`
  }
  const names = wanted.map(key)
  return [...wanted, ...(Array.isArray(present) ? present.filter((taint: Json) => !names.includes(key(taint))) : [])]
}

// A kubelet registers its Node with the label; one without it comes from somebody else and is not finished.
function isLabelled(node: JsonObject): boolean {
  return objectOf(objectOf(node.metadata).labels)['kubernetes.io/hostname'] !== undefined
}

async function appears(
  api: Api,
  path: string,
  isWhole: (object: JsonObject) => boolean,
  deadline: AbortSignal,
): Promise<JsonObject> {
  for (;;) {
    const outcome = await api.get(path).catch((error: unknown) => {
      if (error instanceof ApiError) return error
      throw error
    })
    if (outcome !== undefined && !(outcome instanceof ApiError) && isWhole(outcome)) return outcome
    if (deadline.aborted) {
      throw outcome instanceof ApiError ? outcome : new ApiError(`api: cannot find "${path}": it does not exist`, 404)
    }
    await sleep(POLL_MS)
  }
}
