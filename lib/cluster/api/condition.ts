/** What an object says of its own state. */
import { isObject, type JsonObject } from '../../base/json.ts'

/** Its condition of a type, e.g. `Ready`; undefined when it says nothing of that. */
export function conditionOf(object: JsonObject | undefined, type: string): JsonObject | undefined {
  const status = object?.status
  const conditions = isObject(status) && Array.isArray(status.conditions) ? status.conditions : []
  return conditions.filter(isObject).find(condition => condition.type === type)
}
