/** Applies patches to what kubeadm is about to write. */
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import { TYPE_OF_TARGET } from './field-types.ts'
import { retype } from './go-retype.ts'
import { applyJsonMerge } from './json-merge.ts'
import { applyJsonPatch } from './json-patch.ts'
import type { Patch } from './parse-patches.ts'
import { applyStrategicMerge } from './strategic.ts'
import { MEDIA_TYPES, type PatchTarget } from './target.ts'

export interface Patched {
  readonly object: JsonObject
  /** What kubeadm says, and a warning for each field that the type of the object does not know, which is dropped. */
  readonly messages: readonly string[]
}

/**
 * `object` with all patches for `target` applied, in their order; itself when there are none. A Pod or Deployment comes back
 * as Go would write it: without unknown and empty fields, quantities in canonical form.
 * Throws a KubestepError when a patch cannot be applied, or when the result is no valid object of its type.
 * Source: kubeadm util/patches/patches.go, util/staticpod/utils.go, PatchStaticPod (v1.36).
 */
export function applyPatches(patches: readonly Patch[], target: PatchTarget, object: JsonObject): Patched {
  const wanted = patches.filter(patch => patch.target === target)
  if (wanted.length === 0) return { object, messages: [] }
  const patched = wanted.reduce<JsonObject>(applyPatch, JSON.parse(JSON.stringify(object)))
  const applied = wanted.map(
    ({ type }) => `[patches] Applied patch of type "${MEDIA_TYPES[type]}" to target "${target}"`,
  )
  const type = TYPE_OF_TARGET[target]
  if (type === undefined) return { object: patched, messages: applied }
  for (const key of ['apiVersion', 'kind']) {
    if (patched[key] !== object[key]) {
      throw new KubestepError(`patches: cannot use the patched "${target}": its ${key} is no longer "${object[key]}"`)
    }
  }
  const { object: typed, unknown, faults } = retype(patched, type, object)
  if (faults.length > 0) {
    throw new KubestepError(faults.map(fault => `patches: cannot use the patched "${target}": ${fault}`).join('\n'))
  }
  const dropped = unknown.map(
    path => `[patches] WARNING: Ignoring ${path} in the patches for "${target}": a ${type} has no such field`,
  )
  return { object: typed, messages: [...applied, ...dropped] }
}

function applyPatch(object: JsonObject, patch: Patch): JsonObject {
  try {
    const result = patchedBy(patch, object)
    if (!isObject(result)) throw new Error('what it leaves is no mapping')
    return result
  } catch (error) {
    const { document, file, target, type } = patch
    throw new KubestepError(
      `patches: cannot apply document ${document} of "${file}" (${type}) to "${target}": ${reasonOf(error)}`,
      { cause: error },
    )
  }
}

function patchedBy({ target, type, value }: Patch, object: JsonObject): Json {
  switch (type) {
    case 'json':
      return applyJsonPatch(object, value as readonly JsonObject[])
    case 'merge':
      return applyJsonMerge(object, value as JsonObject)
    default:
      return applyStrategicMerge(object, value as JsonObject, TYPE_OF_TARGET[target])
  }
}
