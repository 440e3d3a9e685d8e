/** Where an input and the configuration say different things: lists come together, otherwise the input wins, and that is said. */

import { isObject, type Json, type JsonObject } from '../base/json.ts'
import { isSecretName } from '../base/secret-shapes.ts'
import type { Argument } from './component-args.ts'

export interface Merged<Value> {
  readonly value: Value
  /** One line for each thing of the configuration that does not count any more. */
  readonly notices: readonly string[]
}

/** Flags whose values are lists, separated by commas; NAME=VALUE counts by its name. */
const LISTS: readonly string[] = [
  'feature-gates',
  'runtime-config',
  'enable-admission-plugins',
  'disable-admission-plugins',
]

/** The flags of an input, with what the configuration has under the same names. */
export function mergeArguments(
  owner: string,
  before: readonly Argument[],
  given: readonly Argument[],
): Merged<readonly Argument[]> {
  const notices: string[] = []
  const names = new Set(given.map(({ name }) => name))
  const merged = [...names].flatMap(name => {
    const former = valuesOf(before, name)
    const values = valuesOf(given, name)
    if (former.length === 0) return values.map(value => ({ name, value }))
    if (LISTS.includes(name)) {
      const { value, notices: more } = mergeItems(`${owner} ${name}`, items(former), items(values))
      notices.push(...more)
      return [{ name, value: value.join(',') }]
    }
    if (former.join() !== values.join()) notices.push(wins(`${owner} ${name}`, name, former.join(), values.join()))
    return values.map(value => ({ name, value }))
  })
  return { value: merged, notices }
}

/** What the configuration's fields become: objects come together, lists too; `what` is written before their names. */
export function mergeFields(what: string, before: JsonObject, given: JsonObject): Merged<JsonObject> {
  const notices: string[] = []
  const result: Record<string, Json | undefined> = { ...before }
  for (const [key, value] of Object.entries(given)) {
    const former = result[key]
    const name = `${what}${key}`
    if (isObject(former) && isObject(value)) {
      const inner = mergeFields(`${name}.`, former, value)
      result[key] = inner.value
      notices.push(...inner.notices)
    } else if (Array.isArray(former) && Array.isArray(value)) result[key] = union(former, value)
    else {
      if (former !== undefined && former !== null && String(former) !== String(value))
        notices.push(wins(name, key, String(former), String(value)))
      result[key] = value
    }
  }
  return { value: result, notices }
}

/** Both lists, each item once. */
export function union(before: readonly Json[], given: readonly Json[]): Json[] {
  return [...before, ...given.filter(item => !before.includes(item))]
}

function mergeItems(what: string, before: readonly string[], given: readonly string[]): Merged<readonly string[]> {
  const key = (item: string): string => item.split('=')[0] ?? ''
  const lost = before.filter(item => given.some(other => key(other) === key(item) && other !== item))
  const kept = before.filter(item => !given.some(other => key(other) === key(item)))
  const notices = lost.map(item => wins(what, '', item, given.find(other => key(other) === key(item)) ?? ''))
  return { value: [...kept, ...given], notices }
}

function valuesOf(all: readonly Argument[], wanted: string): string[] {
  return all.filter(({ name }) => name === wanted).map(({ value }) => value)
}

function items(values: readonly string[]): string[] {
  return values.flatMap(value => value.split(',')).filter(item => item !== '')
}

function wins(what: string, name: string, before: string, given: string): string {
  if (isSecretName(name)) return `${what} of the inputs wins over that of the configuration`
  return `${what} ${JSON.stringify(given)} of the inputs wins over ${JSON.stringify(before)} of the configuration`
}
