/** Kubernetes quantities (`100m`, `1.5Gi`, `2e3`) in the form that the API writes. */

const DECIMAL: readonly string[] = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E']
const BINARY: readonly string[] = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

const PATTERN = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE]?))$/

/** Everything is counted in billionths, the smallest part a quantity has. */
const SCALE = 9
const ONE = 10n ** BigInt(SCALE)

/** Quantities with binary suffixes end here. */
const MOST = (2n ** 63n - 1n) * ONE

interface Parts {
  readonly negative: boolean
  /** Digits before and after the point; no leading zeros but a lone one. */
  readonly whole: string
  readonly fraction: string
  /** Power of ten that the suffix stands for; of 1024 when `binary`. */
  readonly power: number
  readonly form: 'decimal' | 'exponent' | 'binary'
}

/**
 * The canonical form: no fraction, the largest suffix that loses nothing (`1024Mi` is `1Gi`, `0.5` is `500m`); what looks
 * canonical to Go is left alone, `1.500` and `+3` too. Undefined when the text is no quantity.
 * Source: apimachinery api/resource/quantity.go (v1.36).
 */
export function canonicalQuantity(text: string): string | undefined {
  const trimmed = text.trim()
  const parts = partsOf(trimmed)
  if (parts === undefined || isReused(parts)) return parts && trimmed
  const size = sizeOf(parts)
  if (size === 0n) return '0'
  const isBinary = parts.form === 'binary' && size >= 1024n * ONE && size % ONE === 0n
  return (
    (parts.negative ? '-' : '') + (isBinary ? binaryForm(size / ONE) : decimalForm(size, parts.form === 'exponent'))
  )
}

/** How much it is, in billionths; 0 for a text that is no quantity. */
export function quantityOf(text: string): bigint {
  const parts = partsOf(text.trim())
  if (parts === undefined) return 0n
  return parts.negative ? -sizeOf(parts) : sizeOf(parts)
}

function sizeOf({ whole, fraction, power, form }: Parts): bigint {
  const digits = BigInt(whole + fraction)
  return form === 'binary'
    ? least(MOST, scaled(digits * 1024n ** BigInt(power), -fraction.length))
    : scaled(digits, power - fraction.length)
}

function partsOf(text: string): Parts | undefined {
  const match = PATTERN.exec(text)
  if (match === null) return undefined
  const [, sign, before = '', after, only, exponent, suffix = ''] = match
  const rest = { negative: sign === '-', whole: before.replace(/^0+/, '') || '0', fraction: after ?? only ?? '' }
  if (exponent !== undefined) return { ...rest, power: Number(exponent.slice(1)), form: 'exponent' }
  const binary = BINARY.indexOf(suffix, 1)
  if (binary > 0) return { ...rest, power: binary, form: 'binary' }
  return { ...rest, power: 3 * DECIMAL.indexOf(suffix) - SCALE, form: 'decimal' }
}

// Go's short cut: it keeps the text when a glance at it shows no zeros to be cut.
function isReused({ whole, fraction, power, form }: Parts): boolean {
  const digits = whole + fraction
  if (form === 'binary') return fraction === '' && whole.length + 3 * power < 15 && BigInt(whole) % 8n !== 0n
  const scale = power - fraction.length
  return digits.length <= 18 && scale >= -SCALE && scale % 3 === 0 && !/000$|^0/.test(digits)
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other
}

// What is smaller than a billionth is rounded away from zero, so that something asked for stays something.
function scaled(digits: bigint, power: number): bigint {
  const shift = power + SCALE
  if (shift >= 0) return digits * 10n ** BigInt(shift)
  const divisor = 10n ** BigInt(-shift)
  return (digits + divisor - 1n) / divisor
}

function decimalForm(size: bigint, asExponent: boolean): string {
  let step = 0
  let rest = size
  while (rest % 1000n === 0n && (asExponent || step < DECIMAL.length - 1)) {
    rest /= 1000n
    step++
  }
  const power = 3 * step - SCALE
  if (asExponent) return power === 0 ? `${rest}` : `${rest}e${power}`
  return `${rest}${DECIMAL[step]}`
}

function binaryForm(value: bigint): string {
  let step = 0
  let rest = value
  while (rest % 1024n === 0n && step < BINARY.length - 1) {
    rest /= 1024n
    step++
  }
  return `${rest}${BINARY[step]}`
}
