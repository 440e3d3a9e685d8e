/** The plain Go types: what each takes from YAML, and how it is written. */
import { durationFault, formatDuration, parseDuration } from '../duration.ts'
import { isObject, type Json } from '../json.ts'
import { canonicalQuantity } from './quantity.ts'

/**
 * `flush` is the logging API's duration that may also be a number of nanoseconds; `time` is RFC 3339, `creationTime` one that
 * is written when it is set. `json` and `status` are kept as they are.
 */
export type Scalar =
  | 'string'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'uint32'
  | 'float32'
  | 'float64'
  | 'duration'
  | 'flush'
  | 'quantity'
  | 'time'
  | 'creationTime'
  | 'intOrString'
  | 'json'
  | 'status'

interface Rule {
  readonly zero: Json
  /** For `it must be ...`. */
  readonly wanted: string
  /** The value as Go writes it; undefined when Go would not read it. */
  readonly write: (value: Json) => Json | undefined
}

const RULES: Readonly<Record<Scalar, Rule>> = {
  string: { zero: '', wanted: 'a text', write: value => (typeof value === 'string' ? value : undefined) },
  bool: { zero: false, wanted: 'true or false', write: value => (typeof value === 'boolean' ? value : undefined) },
  int32: integer(-(2 ** 31), 2 ** 31 - 1),
  int64: integer(-(2 ** 63), 2 ** 63),
  uint32: integer(0, 2 ** 32 - 1),
  float32: { zero: 0, wanted: 'a number', write: value => (typeof value === 'number' ? shortest32(value) : undefined) },
  float64: { zero: 0, wanted: 'a number', write: value => (typeof value === 'number' ? value : undefined) },
  duration: { zero: '0s', wanted: 'a duration like 1h30m or 10s', write: duration },
  flush: {
    zero: 0,
    wanted: 'a duration like 5s or a number of nanoseconds',
    write: value => (typeof value === 'number' ? RULES.int64.write(value) : duration(value)),
  },
  quantity: { zero: '0', wanted: 'a quantity like 100m or 1Gi', write: quantity },
  time: { zero: null, wanted: 'a time like 2030-01-31T12:00:00Z', write: time },
  creationTime: { zero: null, wanted: 'a time like 2030-01-31T12:00:00Z', write: time },
  intOrString: {
    zero: 0,
    wanted: 'a whole number or a text',
    write: value => (typeof value === 'string' ? value : RULES.int32.write(value)),
  },
  json: { zero: null, wanted: 'anything', write: value => value },
  status: { zero: {}, wanted: 'a mapping', write: value => (isObject(value) ? value : undefined) },
}

/** `value` as Go writes it, or undefined when it does not fit the type. */
export function scalar(type: Scalar, value: Json): Json | undefined {
  return RULES[type].write(value)
}

export function zeroOf(type: Scalar): Json {
  return RULES[type].zero
}

/** What the type takes, in words. */
export function wantedOf(type: Scalar): string {
  return RULES[type].wanted
}

function integer(least: number, most: number): Rule {
  return {
    zero: 0,
    wanted: least === 0 ? 'a whole number from 0' : 'a whole number',
    write: value =>
      typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : undefined,
  }
}

function duration(value: Json): Json | undefined {
  if (typeof value !== 'string' || durationFault(value) !== undefined) return undefined
  return formatDuration(parseDuration(value))
}

function quantity(value: Json): Json | undefined {
  return typeof value === 'string' || typeof value === 'number' ? canonicalQuantity(`${value}`) : undefined
}

function time(value: Json): Json | undefined {
  const date = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value) : undefined
  if (date === undefined || Number.isNaN(date.getTime())) return undefined
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Go writes a float32 with the fewest digits that give the same float32 back. */
function shortest32(value: number): number {
  const single = Math.fround(value)
  for (let digits = 1; digits < 10; digits++) {
    const candidate = Number(single.toPrecision(digits))
    if (Math.fround(candidate) === single) return candidate
  }
  return single
}
