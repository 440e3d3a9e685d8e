/** What unquoted text means to Go's YAML reader, and how Go writes numbers. Reader and writer both ask here. */

/** The types Go tells apart; a `timestamp` is read as text but has to be quoted when written. */
export type ScalarType = 'null' | 'bool' | 'int' | 'float' | 'timestamp' | 'string'

export interface Scalar {
  readonly type: ScalarType
  /** Integers come as bigint, as 64 bits fit no number. */
  readonly value: null | boolean | bigint | number | string
}

const WORDS: readonly (readonly [value: null | boolean | number, words: string])[] = [
  [true, 'y Y yes Yes YES true True TRUE on On ON'],
  [false, 'n N no No NO false False FALSE off Off OFF'],
  [null, '~ null Null NULL'],
  [Number.NaN, '.nan .NaN .NAN'],
  [Number.POSITIVE_INFINITY, '.inf .Inf .INF +.inf +.Inf +.INF'],
  [Number.NEGATIVE_INFINITY, '-.inf -.Inf -.INF'],
]

const TYPE_OF_WORD: Readonly<Record<string, ScalarType>> = { boolean: 'bool', object: 'null', number: 'float' }

const words: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ['', { type: 'null', value: null }],
  ...WORDS.flatMap(([value, list]) =>
    list.split(' ').map((word): [string, Scalar] => [word, { type: TYPE_OF_WORD[typeof value] ?? 'string', value }]),
  ),
])

const INTEGER = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9][0-9]*|0)$/
const FLOAT_FROM_DOT = /^\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?$/
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/
const DATE =
  /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:([Tt]| +)([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?(.*))?$/
const ZONE = /^(?:Z|[-+]([0-9]{2}):([0-9]{2}))$/
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/

/**
 * What `text` means when it stands unquoted: `on` is true, `010` is 8, `1_000` is 1000, `1:30` and dates are text.
 * Source: YAML 1.1 as Go's yaml/v2 understands it.
 */
export function plainScalar(text: string): Scalar {
  const word = words.get(text)
  if (word !== undefined) return word
  if (/^[-+.0-9]/.test(text)) return numberOrDate(text) ?? { type: 'string', value: text }
  return { type: 'string', value: text }
}

/** Whether `text` would be read back as itself without quotes. Base 60 is text for Go, but quoted for other readers' sake. */
export function isPlainText(text: string): boolean {
  return plainScalar(text).type === 'string' && !BASE_60.test(text)
}

function numberOrDate(text: string): Scalar | undefined {
  if (isTimestamp(text)) return { type: 'timestamp', value: text }
  // Underscores may stand anywhere, but only between digits in what starts with a dot.
  const digits = text.startsWith('.') && !FLOAT_FROM_DOT.test(text) ? text : text.replaceAll('_', '')
  const integer = parseInteger(digits)
  if (integer !== undefined) return { type: 'int', value: integer }
  const float = FLOAT.test(digits) ? Number(digits) : Number.NaN
  return Number.isFinite(float) ? { type: 'float', value: float } : undefined
}

function parseInteger(text: string): bigint | undefined {
  const [, sign, digits] = INTEGER.exec(text) ?? []
  if (sign === undefined || digits === undefined) return undefined
  const size = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits)
  const fits = sign === '-' ? size <= 1n << 63n : size < 1n << (sign === '+' ? 63n : 64n)
  return fits ? (sign === '-' ? -size : size) : undefined
}

function isTimestamp(text: string): boolean {
  const [, year, month, day, mark, hour, minute, second, zone] = DATE.exec(text) ?? []
  if (year === undefined || !isDay(Number(year), Number(month), Number(day))) return false
  if (mark === undefined) return true
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return false
  if (mark.startsWith(' ')) return zone === ''
  const [offset, hours = '0', minutes = '0'] = ZONE.exec(zone ?? '') ?? []
  return offset !== undefined && Number(hours) <= 24 && Number(minutes) <= 60
}

function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return month >= 1 && month <= 12 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day && day >= 1
}

/**
 * A number as Go writes one that came from JSON: whole numbers of 64 bits in full, others as short as they can be read back,
 * with an exponent of at least two digits below 0.0001 and from 1e+06 on.
 */
export function formatNumber(value: number): string {
  const text = String(value)
  return parseInteger(text) === undefined ? formatFloat(value, String) : text
}

/** A number as Go writes a number that is a key: with the precision of 32 bits. */
export function formatKeyNumber(value: number): string {
  return Object.is(value, -0) ? '-0' : formatFloat(Math.fround(value), shortest32)
}

function shortest32(value: number): string {
  for (let precision = 1; precision < 9; precision++) {
    if (Math.fround(Number(value.toPrecision(precision))) === value) return value.toPrecision(precision)
  }
  return value.toPrecision(9)
}

function formatFloat(value: number, shortest: (value: number) => string): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf'
  const [mantissa = '', power = '0'] = Number(shortest(value)).toExponential().split('e')
  const exponent = Number(power)
  if (exponent >= -4 && exponent < 6) return Number(shortest(value)).toString()
  const size = String(Math.abs(exponent)).padStart(2, '0')
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${size}`
}
