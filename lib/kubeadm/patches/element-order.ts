/** The order of a merged list: what the patch says, then what the list said. */
import { isObject, type Json } from '../../base/json.ts'

export type Items = readonly Json[]

/**
 * `items` in the order of `wanted`, with the items that are not in there put between them where `before`, the list
 * as it was, has them. Items are told apart by `key`, or are texts when it is empty. Throws an Error when one lacks the key.
 * Source: apimachinery util/strategicpatch/patch.go, normalizeElementOrder (v1.36).
 */
export function inOrder(items: Items, wanted: Items, before: Items, key: string): Items {
  const place = (list: Items, item: Json): number => list.findIndex(one => idOf(one, key) === idOf(item, key))
  const sorted = (list: Items, order: Items): Items => list.toSorted((a, b) => place(order, a) - place(order, b))
  const right = sorted(
    items.filter(item => place(wanted, item) !== -1),
    wanted,
  )
  const left = sorted(
    items.filter(item => place(wanted, item) === -1),
    before,
  )
  const merged: Json[] = []
  let at = 0
  for (const item of right) {
    const limit = place(before, item)
    for (let next = left[at]; next !== undefined; next = left[at]) {
      const found = place(before, next)
      if (limit === -1 || found === -1 || found > limit) break
      merged.push(next)
      at += 1
    }
    merged.push(item)
  }
  return [...merged, ...left.slice(at)]
}

/**
 * The list that Go compares with after a merge that `$setElementOrder` orders: it deletes and appends in place, so that
 * as many new items show as were deleted.
 */
export function orderAfterMerge(original: Items, patch: Items, key: string): Items {
  if (key === '') return original
  const ids = (list: Items): readonly (Json | undefined)[] => list.map(item => idOf(item, key))
  const deleted = ids(patch.filter(isDeletion))
  const remaining = original.filter(item => !deleted.includes(idOf(item, key)))
  const added = patch.filter(item => !isMarked(item) && !ids(remaining).includes(idOf(item, key)))
  return [...remaining, ...added].slice(0, original.length)
}

/** Throws an Error when the patch holds items that `order` does not list, or lists in another order. */
export function refuseOtherOrder(patch: Items, order: Items, key: string): void {
  if (patch.length === 0 || order.length === 0) return
  let at = 0
  for (const item of patch.filter(item => !isMarked(item))) {
    while (at < order.length && idOf(order[at] ?? null, key) !== idOf(item, key)) at += 1
    if (at === order.length) throw new Error('"$setElementOrder" has to list all items of the patch, in their order')
    at += 1
  }
}

function idOf(item: Json, key: string): Json | undefined {
  const id = key === '' || !isObject(item) ? item : item[key]
  if (id === undefined) throw new Error(`an item of the list lacks "${key}", by which its items are told apart`)
  return id
}

function isMarked(item: Json): boolean {
  return isObject(item) && '$patch' in item
}

function isDeletion(item: Json): boolean {
  return isObject(item) && item.$patch === 'delete'
}
