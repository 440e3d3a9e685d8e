/**
 * What somebody has changed of something that was rendered once, found and kept when it is rendered anew: three texts
 * as values, `base` as it was rendered, `theirs` as it is now, `ours` as it is rendered now.
 */
import { isDeepStrictEqual } from 'node:util'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'

/** A change of somebody else's. */
export interface Edit {
  /** E.g. `spec.containers[kube-apiserver].command[--v]`. */
  readonly path: string
  /** As it was rendered; absent for what was added. */
  readonly before?: Json
  /** As it is now; absent for what was taken away. */
  readonly after?: Json
  /** False for what an upgrade is about: images. */
  readonly kept: boolean
}

export interface Merged {
  readonly value: JsonObject
  readonly edits: readonly Edit[]
}

type Maybe = Json | undefined

/** Rendered anew, with their changes on top. */
export function keepEdits(base: JsonObject, theirs: JsonObject, ours: JsonObject): Merged {
  const edits: Edit[] = []
  const value = merge(base, theirs, ours, '', edits)
  return { value: isObject(value) ? value : ours, edits }
}

/** One line for people: what was added, taken away, or changed. */
export function editText({ path, before, after }: Edit): string {
  if (before === undefined) return `${path} added: ${shown(after)}`
  return after === undefined ? `${path} removed: ${shown(before)}` : `${path}: ${shown(before)} -> ${shown(after)}`
}

function shown(value: Maybe): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function merge(base: Maybe, theirs: Maybe, ours: Maybe, path: string, edits: Edit[]): Maybe {
  if (isDeepStrictEqual(theirs, base) || isDeepStrictEqual(theirs, ours)) return ours
  if (isObject(theirs) && isObject(ours) && (isObject(base) || base === undefined)) {
    return mergeKeys(base ?? {}, theirs, ours, path, edits)
  }
  if (Array.isArray(theirs) && Array.isArray(ours) && (Array.isArray(base) || base === undefined)) {
    return mergeLists((base ?? []) as readonly Json[], theirs, ours, path, edits)
  }
  // An empty value and none are one in Go's types: nobody has changed anything.
  if (isEmpty(theirs) && isEmpty(base)) return ours
  const kept = !path.endsWith('.image')
  edits.push({
    path,
    ...(base !== undefined && { before: base }),
    ...(theirs !== undefined && { after: theirs }),
    kept,
  })
  return kept ? theirs : ours
}

function isEmpty(value: Maybe): boolean {
  return value === undefined || value === null || isDeepStrictEqual(value, {}) || isDeepStrictEqual(value, [])
}

function mergeKeys(base: JsonObject, theirs: JsonObject, ours: JsonObject, path: string, edits: Edit[]): JsonObject {
  const keys = new Set([...Object.keys(ours), ...Object.keys(theirs), ...Object.keys(base)])
  const entries = [...keys].map(key => {
    const inner = path === '' ? key : `${path}.${key}`
    return [key, merge(base[key], theirs[key], ours[key], inner, edits)] as const
  })
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as JsonObject
}

function mergeLists(
  base: readonly Json[],
  theirs: readonly Json[],
  ours: readonly Json[],
  path: string,
  edits: Edit[],
): readonly Json[] {
  const keyOf = identity([base, theirs, ours])
  const [before, now, next] = [base, theirs, ours].map(list => new Map(list.map(item => [keyOf(item), item])))
  const keys = new Set([...ours, ...theirs, ...base].map(keyOf))
  return [...keys].flatMap(key => {
    const value = merge(before?.get(key), now?.get(key), next?.get(key), `${path}[${key}]`, edits)
    return value === undefined ? [] : [value]
  })
}

/** What tells the elements of a list apart: a flag's name, a mount's path, a name; all of it where that is there twice. */
function identity(lists: readonly (readonly Json[])[]): (item: Json) => string {
  const name = (item: Json): string => {
    if (typeof item === 'string') return item.startsWith('--') ? (item.split('=')[0] ?? item) : item
    const known = isObject(item) ? (item.mountPath ?? item.name) : undefined
    return typeof known === 'string' ? known : JSON.stringify(item)
  }
  const isUnique = lists.every(list => new Set(list.map(name)).size === list.length)
  return isUnique ? name : item => (typeof item === 'string' ? item : JSON.stringify(item))
}
