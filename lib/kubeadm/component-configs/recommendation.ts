/** Values that kubeadm puts into a component configuration where the user left them open, and says so where he did not. */
import { isObject, type Json, type JsonObject } from '../../base/json.ts'

export interface Recommendation {
  /** Path of the field, e.g. `authentication.webhook.enabled`. */
  readonly field: string
  readonly value: Json
  /** The field is a pointer in Go: an empty text is a choice too. */
  readonly pointer?: boolean
}

export interface Recommended {
  readonly document: JsonObject
  /** One for every field that the user set to something else; his value stays. */
  readonly notices: readonly string[]
}

/** Fills the open fields. Source: kubeadm componentconfigs, Default() and warnDefaultComponentConfigValue (v1.36). */
export function recommend(kind: string, document: JsonObject, rows: readonly Recommendation[]): Recommended {
  const notices: string[] = []
  let result = document
  for (const { field, value, pointer } of rows) {
    const path = field.split('.')
    const given = path.reduce<Json | undefined>((at, name) => (isObject(at) ? at[name] : undefined), document)
    if (given === undefined || given === null || (given === '' && !pointer)) result = withValue(result, path, value)
    else if (shown(given) !== shown(value)) notices.push(notice(kind, field, value, given))
  }
  return { document: result, notices }
}

function notice(kind: string, field: string, value: Json, given: Json): string {
  return `the recommended value for "${field}" in "${kind}" is: ${shown(value)}; the provided value is: ${shown(given)}`
}

// What is no mapping where one belongs is left for the reader of the types to complain about.
function withValue(object: JsonObject, [name = '', ...rest]: readonly string[], value: Json): JsonObject {
  if (rest.length === 0) return { ...object, [name]: value }
  const inner = object[name] ?? {}
  return isObject(inner) ? { ...object, [name]: withValue(inner, rest, value) } : object
}

// As Go's %v prints it.
function shown(value: Json): string {
  return Array.isArray(value) ? `[${value.join(' ')}]` : String(value)
}
