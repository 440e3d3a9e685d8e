/**
 * The one mask for texts that people will read or send around: messages, logs, bundles, what a runner shows. It takes
 * out secrets that are known, and what looks like one.
 */
import { isObject, type Json } from './json.ts'
import { SHAPES } from './secret-shapes.ts'

export type Mask = (text: string) => string

/** Shorter ones would take words out of everything. */
const SHORTEST = 4

/** A mask that knows some secrets by their values, in the forms in which they travel; what only looks like one it takes, too. */
export function secretMask(known: readonly string[]): Mask {
  const forms = new Set(known.filter(secret => secret.trim().length >= SHORTEST).flatMap(formsOf))
  if (forms.size === 0) return maskSecrets
  // The longer one first: one may be a part of another.
  const longestFirst = [...forms].sort((a, b) => b.length - a.length)
  const pattern = new RegExp(longestFirst.map(literal).join('|'), 'g')
  return text => maskSecrets(text.replace(pattern, '<masked>'))
}

/** Text without private keys, tokens, passwords and the data of kubeconfigs, as far as they can be told by their looks. */
export function maskSecrets(text: string): string {
  return SHAPES.reduce((masked, [pattern, replacement]) => masked.replace(pattern, replacement), withoutKeys(text))
}

/** All texts in a value masked. */
export function maskJson(value: Json, mask: Mask): Json {
  if (typeof value === 'string') return mask(value)
  if (Array.isArray(value)) return value.map(item => maskJson(item, mask))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskJson(item ?? null, mask)]))
}

// As it is, in an address, in JSON, in base64.
function formsOf(secret: string): string[] {
  return [
    secret,
    encodeURIComponent(Buffer.from(secret).toString()),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64'),
  ]
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

const KEY_BEGIN = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----/g
const KEY_END = /-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----/g

/** The largest key that is in use, and a margin. */
const LONGEST_KEY = 16_384

/** What a key consists of, in a log with escaped line ends, too. */
const KEY_CHARACTER = /[A-Za-z0-9+/=\s\\:,-]/

/** Keys in PEM, also those whose beginning or end was cut off. */
export function withoutKeys(text: string): string {
  if (!text.includes('PRIVATE KEY')) return text
  let result = ''
  let at = 0
  for (;;) {
    const begin = next(KEY_BEGIN, text, at)
    const end = next(KEY_END, text, begin === undefined ? at : begin.after)
    const headless = end !== undefined && begin === undefined ? end : next(KEY_END, text, at)
    if (headless !== undefined && (begin === undefined || headless.at < begin.at)) {
      let from = headless.at
      while (from > at && headless.at - from < LONGEST_KEY && KEY_CHARACTER.test(text[from - 1] ?? '')) from--
      result += `${text.slice(at, from)}<masked private key>`
      at = headless.after
      continue
    }
    if (begin === undefined) return result + text.slice(at)
    const whole = end !== undefined && end.at - begin.after <= LONGEST_KEY
    result += `${text.slice(at, begin.at)}<masked private key>`
    at = whole ? end.after : Math.min(text.length, begin.after + LONGEST_KEY)
  }
}

function next(
  pattern: RegExp,
  text: string,
  from: number,
): { readonly at: number; readonly after: number } | undefined {
  pattern.lastIndex = from
  const found = pattern.exec(text)
  return found === null ? undefined : { at: found.index, after: found.index + found[0].length }
}
