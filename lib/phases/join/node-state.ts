/** What the API says of a Node. */

import { isObject, type JsonObject } from '../../base/json.ts'
import { conditionOf } from '../../cluster/api/condition.ts'

/** The part of an object that is an object itself; an empty one when there is none. */
export function partOf(object: JsonObject | undefined, name: string): JsonObject {
  const part = object?.[name]
  return isObject(part) ? part : {}
}

/** True when the Node is Ready; otherwise why not. */
export function readiness(node: JsonObject | undefined): true | string {
  if (node === undefined) return 'it has not registered'
  const ready = conditionOf(node, 'Ready')
  return ready?.status === 'True' || String(ready?.message ?? 'it has no status yet')
}
