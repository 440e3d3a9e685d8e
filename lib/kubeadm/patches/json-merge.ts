/** JSON merge patches (RFC 7386). */
import { isObject, type Json, type JsonObject } from '../../base/json.ts'

/**
 * `object` with the patch merged in: mappings are merged, everything else is replaced, null takes away.
 * Nulls also vanish from mappings in lists that the patch brings, as in kubeadm's library.
 * Source: RFC 7386; evanphx/json-patch v4, MergePatch.
 */
export function applyJsonMerge(object: JsonObject, patch: JsonObject): JsonObject {
  const members = new Map(Object.entries(object))
  for (const [key, value] of Object.entries(patch)) {
    const current = members.get(key)
    if (value === null) {
      members.delete(key)
    } else if (isObject(current)) {
      members.set(key, isObject(value) ? applyJsonMerge(current, value) : value)
    } else {
      members.set(key, withoutNulls(value ?? null))
    }
  }
  return Object.fromEntries(members)
}

/** A value without the members that are null; items of lists stay. */
export function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => withoutNulls(item))
  return isObject(value)
    ? Object.fromEntries(
        Object.entries(value)
          .filter(([, member]) => member !== null)
          .map(([key, member]) => [key, withoutNulls(member ?? null)]),
      )
    : value
}
