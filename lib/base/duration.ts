/** Go durations: `4m0s`, `1h30m`, `1.5s`. Kept as nanoseconds in a bigint, since ten years do not fit a number exactly. */
import { KubestepError } from './errors.ts'

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}

const LIMIT = 2n ** 63n
const EXAMPLE = 'write it like "1h30m" or "90s"'

/**
 * The nanoseconds of a Go duration. Throws a KubestepError whose message says what is wrong with the text.
 * Source: the grammar of Go's time.ParseDuration: a sign, then numbers each with a unit; or a bare 0.
 */
export function parseDuration(text: string): bigint {
  const reason = durationFault(text)
  if (reason !== undefined) throw new KubestepError(`duration: cannot read ${JSON.stringify(text)}: ${reason}`)
  return total(text)
}

/** What is wrong with a Go duration, and what to write; undefined when it is right. */
export function durationFault(text: string): string | undefined {
  const rest = text.replace(/^[-+]/, '')
  if (rest === '0') return undefined
  if (!/^(?:(?:\d+\.?\d*|\.\d+)[^\d.]*)+$/.test(rest)) return `it is not a duration; ${EXAMPLE}`
  for (const [, , unit = ''] of rest.matchAll(PART)) {
    if (unit === '') return `it has a number without a unit; ${EXAMPLE}`
    if (UNITS[unit] === undefined) return `${JSON.stringify(unit)} is not a unit; use h, m, s, ms, us or ns`
  }
  return total(text) >= LIMIT || total(text) < -LIMIT ? 'it is longer than 292 years; choose a shorter one' : undefined
}

const PART = /(\d+\.?\d*|\.\d+)([^\d.]*)/g

function total(text: string): bigint {
  let sum = 0n
  for (const [, digits = '', unit = ''] of text.matchAll(PART)) {
    const [whole = '', fraction = ''] = digits.split('.')
    const scale = UNITS[unit] ?? 0n
    sum += BigInt(whole || '0') * scale + (BigInt(fraction || '0') * scale) / 10n ** BigInt(fraction.length)
  }
  return text.startsWith('-') ? -sum : sum
}

/** The same duration as Go prints it: `1h30m0s`, `1.5s`, `250ms`, `0s`. */
export function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds < 0n) return `-${formatDuration(-nanoseconds)}`
  if (nanoseconds === 0n) return '0s'
  for (const unit of ['ns', 'µs', 'ms']) {
    const scale = UNITS[unit] ?? 1n
    if (nanoseconds < scale * 1000n) return `${decimal(nanoseconds, scale)}${unit}`
  }
  const hours = nanoseconds / 3_600_000_000_000n
  const minutes = (nanoseconds / 60_000_000_000n) % 60n
  const seconds = `${decimal(nanoseconds % 60_000_000_000n, 1_000_000_000n)}s`
  if (hours > 0n) return `${hours}h${minutes}m${seconds}`
  return minutes > 0n ? `${minutes}m${seconds}` : seconds
}

function decimal(value: bigint, scale: bigint): string {
  const digits = scale.toString().length - 1
  const fraction = (value % scale).toString().padStart(digits, '0').replace(/0+$/, '')
  return `${value / scale}${digits === 0 || fraction === '' ? '' : `.${fraction}`}`
}

/** A Go duration in milliseconds. Throws like parseDuration. */
export function durationMilliseconds(text: string): number {
  return Number(parseDuration(text)) / 1e6
}

/** The longest that a timer waits, 24 days: one that is told more fires at once. Source: Node's timers. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The same for a timer. Throws like parseDuration. */
export function timerMilliseconds(text: string): number {
  return Math.min(durationMilliseconds(text), LONGEST_TIMER_MS)
}
