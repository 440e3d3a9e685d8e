/** What an object says of its own state. */
import { type JsonObject, objectOf, objectsOf } from '../../base/json.ts'

/** Its condition of a type, e.g. `Ready`; undefined when it says nothing of that. */
export function conditionOf(object: JsonObject | undefined, type: string): JsonObject | undefined {
  return objectsOf(objectOf(object?.status).conditions).find(condition => condition.type === type)
}
