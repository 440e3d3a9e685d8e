/**
 * What becomes of a patched Pod or Deployment when Go reads it into its type and writes that again, as kubeadm does:
 * unknown fields vanish, empty ones too, `1024Mi` becomes `1Gi`.
 */

import { canonicalQuantity } from '../../base/go/quantity.ts'
import { isObject, type Json, type JsonObject } from '../../base/json.ts'
import { nearest } from '../../base/nearest.ts'
import { type Field, fieldsOf, itemType, type TypeName } from './field-types.ts'

export interface Retyped {
  readonly object: JsonObject
  /** Paths that the type does not know, with a guess what was meant. */
  readonly unknown: readonly string[]
  /** What Go cannot read, each with its path. */
  readonly faults: readonly string[]
}

interface Context {
  /** Up to 1.33 Go wrote `creationTimestamp: null` into every metadata. */
  readonly writesCreation: boolean
  readonly unknown: string[]
  readonly faults: string[]
}

/** A plain type: what it is in words, its value when unset, and what it makes of a value (undefined: nothing). */
interface Plain {
  readonly wanted: string
  readonly zero: Json
  readonly read: (value: Json) => Json | undefined
}

const PLAIN: Readonly<Record<string, Plain>> = {
  string: { wanted: 'a text; quote it', zero: '', read: value => (typeof value === 'string' ? value : undefined) },
  bool: { wanted: 'true or false', zero: false, read: value => (typeof value === 'boolean' ? value : undefined) },
  int32: { wanted: 'a whole number', zero: 0, read: value => whole(value, 2 ** 31) },
  int64: { wanted: 'a whole number', zero: 0, read: value => whole(value, 2 ** 63) },
  intOrString: {
    wanted: 'a whole number or a text',
    zero: 0,
    read: value => (typeof value === 'string' ? value : whole(value, 2 ** 31)),
  },
  quantity: {
    wanted: 'a quantity like 100m or 1Gi',
    zero: '0',
    read: value => (typeof value === 'string' || typeof value === 'number' ? canonicalQuantity(`${value}`) : undefined),
  },
  time: { wanted: 'a time like 2030-01-31T12:00:00Z', zero: null, read: time },
  creationTime: { wanted: 'a time like 2030-01-31T12:00:00Z', zero: null, read: time },
  json: { wanted: 'anything', zero: null, read: value => value },
  status: { wanted: 'a mapping', zero: {}, read: value => (isObject(value) ? value : undefined) },
}

/** Types that are structs in Go, which are written even when they are empty. */
const ALWAYS_WRITTEN: readonly string[] = ['quantity', 'intOrString', 'time', 'status']

/** `object` as its type writes it, by the release that wrote `original`; apiVersion and kind stay as they are. */
export function retype(object: JsonObject, type: TypeName, original: JsonObject): Retyped {
  const { metadata } = original
  // A member that is undefined is one that the release does not write.
  const writesCreation = isObject(metadata) && metadata.creationTimestamp !== undefined
  const context: Context = { writesCreation, unknown: [], faults: [] }
  const { apiVersion, kind, ...fields } = object
  const struct = encodeStruct(fieldsOf(type) ?? [], fields, '', context)
  return { object: { apiVersion, kind, ...struct }, unknown: context.unknown, faults: context.faults }
}

function encodeStruct(fields: readonly Field[], object: JsonObject, path: string, context: Context): JsonObject {
  const names = fields.map(({ name }) => name)
  for (const name of Object.keys(object).filter(name => !names.includes(name))) {
    const hint = nearest(name, names)
    context.unknown.push(`"${join(path, name)}"${hint === undefined ? '' : ` (did you mean "${hint}"?)`}`)
  }
  const written = fields.flatMap((field): [string, Json][] => {
    const encoded = encode(field.type, object[field.name] ?? null, join(path, field.name), context)
    return isWritten(field, encoded, context) ? [[field.name, encoded]] : []
  })
  return Object.fromEntries(written)
}

function encode(type: string, value: Json, path: string, context: Context): Json {
  if (type.startsWith('*')) {
    return value === null ? null : encode(type.slice(1), value, path, context)
  }
  if (type.startsWith('[]') || type.startsWith('{}')) {
    return value === null ? null : encodeItems(type, value, path, context)
  }
  const fields = fieldsOf(type)
  if (fields !== undefined) {
    if (value !== null && !isObject(value)) {
      context.faults.push(`"${path}" has to be a mapping`)
    }
    return encodeStruct(fields, isObject(value) ? value : {}, path, context)
  }
  const plain = PLAIN[type] as Plain
  const read = value === null ? plain.zero : plain.read(value)
  if (read === undefined) {
    context.faults.push(`"${path}" has to be ${plain.wanted}`)
  }
  return read ?? plain.zero
}

function encodeItems(type: string, value: Json, path: string, context: Context): Json {
  const item = itemType(type) ?? 'json'
  if (type.startsWith('[]') && Array.isArray(value)) {
    return value.map((one: Json, index) => encode(item, one, `${path}[${index}]`, context))
  }
  if (type.startsWith('{}') && isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, encode(item, one ?? null, `${path}[${key}]`, context)]),
    )
  }
  context.faults.push(`"${path}" has to be a ${type.startsWith('[]') ? 'list' : 'mapping'}`)
  return null
}

function isWritten({ type, always }: Field, value: Json, { writesCreation }: Context): boolean {
  if (type === 'creationTime') {
    return writesCreation || value !== null
  }
  if (always || ALWAYS_WRITTEN.includes(type) || /^[A-Z]/.test(type)) {
    return true
  }
  return type.startsWith('*') ? value !== null : !isEmpty(value)
}

function isEmpty(value: Json): boolean {
  if (typeof value === 'object' && value !== null) {
    return Object.keys(value).length === 0
  }
  return value === null || value === '' || value === false || value === 0
}

function time(value: Json): Json | undefined {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? value : undefined
}

function whole(value: Json, limit: number): number | undefined {
  return Number.isInteger(value) && Math.abs(Number(value)) <= limit ? Number(value) : undefined
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
