/**
 * Go structs as tables: what a document becomes when Go decodes it into its type and encodes that again.
 * kubeadm does exactly this with a KubeletConfiguration and a KubeProxyConfiguration, which is why fields nobody
 * set appear in its files and why `5m` reads `5m0s` there.
 */
import type { Fault } from '../errors.ts'
import { isObject, type Json, type JsonObject } from '../json.ts'
import { nearest } from '../nearest.ts'
import { isNewerThanKnown, isSince, type Version } from '../version.ts'
import { type Scalar, scalar, wantedOf, zeroOf } from './scalar.ts'

type Plain = Scalar | `*${Scalar}` | `[]${Scalar}` | `{}${Scalar}` | `{}[]${Scalar}`

/**
 * `*` is a pointer (unset differs from zero), `[]` a list, `{}` a map. A `!` at the end says that the field is written
 * even when it is empty (no `omitempty`); durations, quantities and structs always are.
 */
export type Shape = Plain | `${Plain}!` | Struct | Pointer | List

interface Pointer {
  readonly pointer: Struct
  readonly always?: true
}

interface List {
  readonly list: Struct
  readonly always?: true
}

/** One field; `until` is the first release that no longer has it. */
export type Field = readonly [name: string, shape: Shape, since?: string, until?: string]

export type Struct = readonly Field[]

/** Something about a field that Go would not read. */
export interface StructFault extends Fault {
  /** Of a field that is unknown: the names that are known in its place. */
  readonly siblings?: readonly string[]
}

/** A document as Go would write it, and what Go would not read, by path of the field. */
export interface Encoded {
  readonly value: JsonObject
  readonly faults: readonly StructFault[]
  /** Fields that only another release has, which are no mistake. */
  readonly warnings: readonly Fault[]
}

interface Context {
  readonly release: Version | undefined
  readonly keepsUnknown: boolean
  readonly faults: StructFault[]
  readonly warnings: Fault[]
}

/**
 * Encodes `document` as `release` does; apiVersion and kind are not fields of the struct and are left out, as is the
 * metadata that generated files have, which holds no setting here. For a release newer than the table (`wanted`) fields
 * that nobody knows may be its own: they are kept as they are, with a warning.
 */
export function encodeStruct(
  struct: Struct,
  document: JsonObject,
  release: Version,
  wanted: Version = release,
): Encoded {
  const { apiVersion: _, kind: __, metadata, ...fields } = document
  const { value, faults, warnings } = encodeFields(struct, fields, release, wanted)
  const ignored = metadata === undefined ? [] : [{ field: 'metadata', reason: NO_METADATA }]
  return { value, faults, warnings: [...ignored, ...warnings] }
}

/** The same for the fields alone; without a release all that the struct has count. */
export function encodeFields(
  struct: Struct,
  fields: JsonObject,
  release?: Version,
  wanted: Version | undefined = release,
): Encoded {
  const keepsUnknown = wanted !== undefined && isNewerThanKnown(wanted)
  const context: Context = { release, keepsUnknown, faults: [], warnings: [] }
  return { value: encodeObject(struct, fields, '', context), faults: context.faults, warnings: context.warnings }
}

const NO_METADATA = 'it holds no setting in this kind; it is ignored'

function encodeObject(struct: Struct, object: JsonObject, path: string, context: Context): JsonObject {
  const fields = struct.filter(field => exists(field, context.release))
  const result: Record<string, Json> = {}
  for (const [name, shape] of fields) {
    if (shape === 'duration' && object[name] === null) wrongType(null, join(path, name), wantedOf(shape), context)
    const value = encode(shape, object[name] ?? null, join(path, name), context)
    if (isWritten(shape, value)) result[name] = value
  }
  for (const name of Object.keys(object)) {
    if (fields.some(([known]) => known === name)) continue
    const field = join(path, name)
    const other = struct.find(([known]) => known === name)
    const siblings = fields.map(([known]) => known)
    if (other !== undefined) {
      context.warnings.push({ field, reason: `this release has no such field${times(other)}; it is left out` })
    } else if (context.keepsUnknown) {
      context.warnings.push({
        field,
        reason: `no release known here has it${guess(name, siblings)}; it is written as it is`,
      })
      result[name] = object[name] ?? null
    } else {
      context.faults.push({ field, reason: `the field is unknown${guess(name, siblings)}`, siblings })
    }
  }
  return result
}

/** Every field of a struct and of those in it, with its path; items of lists are `[]`. */
export function walkStruct(struct: Struct, visit: (path: string, name: string) => void, outer = ''): void {
  for (const [name, shape] of struct) {
    const path = join(outer, name)
    visit(path, name)
    if (typeof shape === 'string') continue
    if ('pointer' in shape) walkStruct(shape.pointer, visit, path)
    else if ('list' in shape) walkStruct(shape.list, visit, `${path}[]`)
    else walkStruct(shape, visit, path)
  }
}

function exists([, , since, until]: Field, release: Version | undefined): boolean {
  if (release === undefined) return true
  return (since === undefined || isSince(release, since)) && (until === undefined || !isSince(release, until))
}

function encode(shape: Shape, value: Json, path: string, context: Context): Json {
  if (typeof shape === 'string') return encodePlain(shape.replace(/!$/, ''), value, path, context)
  if ('pointer' in shape) return value === null ? null : encodeNested(shape.pointer, value, path, context)
  if ('list' in shape) return list(value, path, context, (item, at) => encodeNested(shape.list, item, at, context))
  return encodeNested(shape, value, path, context)
}

function encodeNested(struct: Struct, value: Json, path: string, context: Context): Json {
  if (value !== null && !isObject(value)) wrongType(value, path, 'a mapping', context)
  return encodeObject(struct, isObject(value) ? value : {}, path, context)
}

function encodePlain(shape: string, value: Json, path: string, context: Context): Json {
  if (shape.startsWith('[]')) {
    return list(value, path, context, (item, at) => encodePlain(shape.slice(2), item, at, context))
  }
  if (shape.startsWith('{}')) return map(shape.slice(2), value, path, context)
  if (shape.startsWith('*')) return value === null ? null : encodePlain(shape.slice(1), value, path, context)
  const type = shape as Scalar
  // Go leaves a field alone when it meets null; only durations refuse it.
  if (value === null) return zeroOf(type)
  const encoded = scalar(type, value)
  if (encoded === undefined) wrongType(value, path, wantedOf(type), context)
  return encoded ?? zeroOf(type)
}

function list(value: Json, path: string, context: Context, item: (value: Json, path: string) => Json): Json {
  if (value === null) return null
  if (Array.isArray(value)) return value.map((one: Json, index) => item(one, `${path}[${index}]`))
  wrongType(value, path, 'a list', context)
  return null
}

function map(shape: string, value: Json, path: string, context: Context): Json {
  if (value === null) return null
  if (!isObject(value)) {
    wrongType(value, path, 'a mapping', context)
    return null
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, encodePlain(shape, one ?? null, `${path}[${key}]`, context)]),
  )
}

/** Types that Go's `omitempty` does not apply to, for they are structs there. */
const NEVER_EMPTY: readonly string[] = ['duration', 'quantity', 'status']

function isWritten(shape: Shape, value: Json): boolean {
  if (typeof shape !== 'string') {
    if ('pointer' in shape) return shape.always ?? value !== null
    return 'list' in shape ? (shape.always ?? !isEmpty(value)) : true
  }
  if (shape.endsWith('!') || NEVER_EMPTY.includes(shape)) return true
  return shape.startsWith('*') ? value !== null : !isEmpty(value)
}

function isEmpty(value: Json): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0
  return value === null || value === '' || value === false || value === 0
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function wrongType(value: Json, field: string, wanted: string, context: Context): void {
  const shown = typeof value === 'object' ? {} : { value: `${value}` }
  context.faults.push({ field, ...shown, reason: `it must be ${wanted}; correct the value` })
}

function guess(name: string, siblings: readonly string[]): string {
  const hint = nearest(name, siblings)
  return hint === undefined ? '' : `; did you mean "${hint}"?`
}

function times([, , since, until]: Field): string {
  return until === undefined ? ` (it came with ${since})` : ` (it went with ${until})`
}
