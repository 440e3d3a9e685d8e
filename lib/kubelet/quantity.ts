/** Kubernetes quantities (`100m`, `1.5Gi`, `2e3`) in the one form that the API writes. */

const DECIMAL: readonly string[] = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E']
const BINARY: readonly string[] = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

/** Everything is counted in billionths, the smallest part a quantity has. */
const SCALE = 9

/**
 * The canonical form: no fraction, the largest suffix that loses nothing (`1024Mi` is `1Gi`, `0.5` is `500m`).
 * Undefined when the text is no quantity. Source: apimachinery api/resource/quantity.go (v1.36).
 */
export function canonicalQuantity(text: string): string | undefined {
  const match = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE]?))$/.exec(text.trim())
  if (match === null) return undefined
  const [, sign = '', whole = '', fraction = match[4] ?? '', , exponent = '', suffix = ''] = match
  const digits = BigInt(`${whole}${fraction}`)
  const power = exponent === '' ? 3 * Math.max(0, DECIMAL.indexOf(suffix)) - 9 : Number(exponent.slice(1))
  const binary = BINARY.indexOf(suffix)
  const size =
    binary > 0 ? scaled(digits * 1024n ** BigInt(binary), -fraction.length) : scaled(digits, power - fraction.length)
  if (size === 0n) return '0'
  const minus = sign === '-' ? '-' : ''
  const one = 10n ** BigInt(SCALE)
  if (binary > 0 && size >= 1024n * one && size % one === 0n) return `${minus}${binaryForm(size / one)}`
  return `${minus}${decimalForm(size, exponent !== '')}`
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
