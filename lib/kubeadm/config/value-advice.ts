/** What to do about a value of a wrong type: quotes are missing or too many, a unit, or the marks of a list. */
import { isObject, type Json } from '../../base/json.ts'
import type { Path } from '../../base/yaml.ts'
import type { ConfigDocument } from './config-documents.ts'
import { isSecret } from './findings.ts'

/** A value as it stands in a document. */
interface Given {
  readonly value: Json | undefined
  /** The same as it is written, where it is unquoted. */
  readonly text: string
}

interface Row {
  /** What is wanted, as the reason has it. */
  readonly wanted: RegExp
  /** What to do, when it is about such a value. */
  readonly advice: (given: Given) => string | undefined
}

const isPlain = (value: Json | undefined): boolean => typeof value === 'number' || typeof value === 'boolean'

const ROWS: readonly Row[] = [
  { wanted: /a text$/, advice: ({ value, text }) => (isPlain(value) ? `put it in quotes: "${text}"` : undefined) },
  {
    wanted: /a (?:whole )?number/,
    advice: ({ value, text }) =>
      typeof value === 'string' && /^-?\d+$/.test(value) ? `take the quotes off: ${text}` : undefined,
  },
  {
    wanted: /true or false$/,
    advice: ({ value }) =>
      typeof value === 'string' && /^(?:true|false)$/i.test(value)
        ? `take the quotes off: ${value.toLowerCase()}`
        : undefined,
  },
  {
    wanted: /a duration/,
    advice: ({ value }) => {
      const [, days] = /^(\d+)d$/.exec(String(value)) ?? []
      if (days !== undefined) return `there are no days; write ${Number(days) * 24}h`
      return /^\d+$/.test(String(value)) ? `write it with its unit: ${value}s, ${value}m or ${value}h` : undefined
    },
  },
  {
    wanted: /a list$/,
    advice: ({ value, text }) => {
      if (typeof value === 'string') return `put it in brackets: ["${text}"]`
      return isObject(value) ? 'begin each item with "- "' : undefined
    },
  },
  {
    wanted: /a mapping$/,
    advice: ({ value }) => {
      const [, key, , given, effect] = /^([^=:]+)(=([^:]*))?:(\w+)$/.exec(String(value)) ?? []
      if (effect === undefined) return undefined
      return `write {key: ${key}, ${given === undefined ? '' : `value: "${given}", `}effect: ${effect}}`
    },
  },
]

/** The reason with what to do about the value at a place; as it is where nothing better is known. */
export function valueReason({ value, scalarAt }: ConfigDocument, path: Path, reason: string): string {
  const [what = '', advice] = reason.split('; ')
  if (advice !== 'correct the value') return reason
  const given = valueAt(value, path)
  if (isSecret(path)) return isPlain(given) ? `${what}; put it in quotes` : reason
  const text = isPlain(given) ? (scalarAt(path) ?? String(given)) : String(given)
  for (const { wanted, advice: adviceOn } of ROWS) {
    const found = wanted.test(what) ? adviceOn({ value: given, text }) : undefined
    if (found !== undefined) return `${what}; ${found}`
  }
  return reason
}

function valueAt(value: Json, path: Path): Json | undefined {
  return path.reduce<Json | undefined>((at, key) => {
    if (Array.isArray(at)) return at[Number(key)]
    return isObject(at) ? at[String(key)] : undefined
  }, value)
}
