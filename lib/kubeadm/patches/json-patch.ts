/**
 * JSON patches (RFC 6902), as kubeadm's library understands them: negative indices count from the end,
 * and `replace` also sets a member that is not there yet. That is why no library of npm is used: they refuse both.
 * Source: RFC 6902, RFC 6901; evanphx/json-patch v4.
 */
import { isDeepStrictEqual } from 'node:util'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'

/** What each operation needs beside `op` and `path`. */
const OPERATIONS: Readonly<Record<string, 'value' | 'from' | undefined>> = {
  add: 'value',
  remove: undefined,
  replace: 'value',
  move: 'from',
  copy: 'from',
  test: 'value',
}

/** What is wrong with the form of a JSON patch; empty when nothing is. */
export function jsonPatchFaults(patch: Json): string[] {
  if (!Array.isArray(patch)) return ['a patch of type json has to be a list of operations']
  return patch.flatMap((operation: Json, index) =>
    operationFaults(operation).map(fault => `operation ${index + 1}: ${fault}`),
  )
}

function operationFaults(operation: Json): string[] {
  if (!isObject(operation)) return ['it has to be a mapping with "op" and "path"']
  const { op, path, from } = operation
  if (typeof op !== 'string' || !Object.hasOwn(OPERATIONS, op)) {
    return [`"op" has to be one of ${Object.keys(OPERATIONS).join(', ')}`]
  }
  const isPointer = (pointer: Json | undefined): boolean => typeof pointer === 'string' && /^(\/|$)/.test(pointer)
  return [
    ...(isPointer(path) ? [] : ['"path" has to be a JSON pointer like /spec/containers/0']),
    ...(OPERATIONS[op] !== 'from' || isPointer(from)
      ? []
      : ['"from" has to be a JSON pointer like /spec/containers/0']),
    ...(OPERATIONS[op] !== 'value' || 'value' in operation ? [] : ['"value" is missing']),
  ]
}

/** `document` after all operations, which have the right form. Throws an Error that names the operation that fails. */
export function applyJsonPatch(document: Json, operations: readonly JsonObject[]): Json {
  return operations.reduce<Json>((current, operation, index) => {
    const { op, path } = operation
    try {
      return applyOperation(current, operation)
    } catch (error) {
      throw new Error(`operation ${index + 1} (${op} ${path}): ${(error as Error).message}`, { cause: error })
    }
  }, document)
}

function applyOperation(document: Json, operation: JsonObject): Json {
  const path = pointerOf(operation.path)
  const value = operation.value ?? null
  switch (operation.op) {
    case 'add':
      return add(document, path, value)
    case 'remove':
      return remove(document, path)
    case 'replace':
      return replace(document, path, value)
    case 'copy':
      return add(document, path, existing(document, pointerOf(operation.from)))
    case 'move': {
      const from = pointerOf(operation.from)
      return add(remove(document, from), path, existing(document, from))
    }
    default:
      return test(document, path, value)
  }
}

function test(document: Json, path: readonly string[], value: Json): Json {
  const found = get(document, path) ?? null
  if (!isDeepStrictEqual(found, value)) throw new Error('the test fails: the value there is another one')
  return document
}

function pointerOf(pointer: Json | undefined): readonly string[] {
  const parts = String(pointer ?? '').split('/')
  return parts.slice(1).map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function add(document: Json, path: readonly string[], value: Json): Json {
  return update(
    document,
    path,
    (list, key) => {
      const index = key === '-' ? list.length : indexOf(key, list.length + 1)
      return list.toSpliced(index, 0, value)
    },
    value,
  )
}

function remove(document: Json, path: readonly string[]): Json {
  existing(document, path)
  return update(document, path, (list, key) => list.toSpliced(indexOf(key, list.length), 1), undefined)
}

function replace(document: Json, path: readonly string[], value: Json): Json {
  return path.length === 0
    ? value
    : update(document, path, (list, key) => list.with(indexOf(key, list.length), value), value)
}

/** The value a pointer shows; undefined when its last part is not there. Throws an Error when the way there is not. */
function get(document: Json, path: readonly string[]): Json | undefined {
  const [key, ...rest] = path
  if (key === undefined) return document
  const next = Array.isArray(document) ? document[indexOf(key, document.length)] : memberOf(document, key)
  return rest.length === 0 ? next : get(stepInto(next, key), rest)
}

function existing(document: Json, path: readonly string[]): Json {
  const value = get(document, path)
  if (value === undefined) throw new Error(`there is no "${path.at(-1)}"`)
  return value
}

/** A copy in which the end of the path was changed: a list by `inList`, a member to `member` (undefined takes it away). */
function update(
  document: Json,
  path: readonly string[],
  inList: (list: readonly Json[], key: string) => Json[],
  member: Json | undefined,
): Json {
  const [key, ...rest] = path
  if (key === undefined) throw new Error('the whole document cannot be added or removed')
  if (Array.isArray(document)) {
    if (rest.length === 0) return inList(document, key)
    const index = indexOf(key, document.length)
    return document.with(index, update(stepInto(document[index], key), rest, inList, member))
  }
  const current = memberOf(document, key)
  const value = rest.length === 0 ? member : update(stepInto(current, key), rest, inList, member)
  const others = Object.entries(document as JsonObject).filter(([name]) => name !== key)
  return Object.fromEntries(value === undefined ? others : [...others, [key, value]])
}

function memberOf(value: Json, key: string): Json | undefined {
  if (!isObject(value)) throw new Error(`"${key}" is looked for in what is no mapping or list`)
  return Object.hasOwn(value, key) ? value[key] : undefined
}

function stepInto(value: Json | undefined, key: string): Json {
  if (value === undefined || value === null) throw new Error(`there is no "${key}" on the way`)
  return value
}

/** The index a part of a pointer means in a list of `length`; negative ones count from the end. */
function indexOf(key: string, length: number): number {
  const index = /^[-+]?[0-9]+$/.test(key) ? Number(key) : Number.NaN
  const fromStart = index < 0 ? index + length : index
  if (!(fromStart >= 0 && fromStart < length)) throw new Error(`"${key}" is not an index of the list`)
  return fromStart
}
