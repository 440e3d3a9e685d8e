/** Selectors of labels, as the API writes them. Source: apimachinery meta/v1 types.go, labels/selector.go (v1.36). */
import { type JsonObject, objectOf, objectsOf } from '../../base/json.ts'

export type Labels = Readonly<Record<string, string>>

interface Requirement {
  readonly key: string
  readonly operator: string
  readonly values: readonly string[]
}

/** All of these have to hold; without any it selects everything. */
export type LabelSelector = readonly Requirement[]

export function labelSelector(selector: unknown): LabelSelector {
  const { matchLabels, matchExpressions } = objectOf(selector)
  return [
    ...Object.entries(objectOf(matchLabels)).map(([key, value]) => ({ key, operator: 'In', values: [String(value)] })),
    ...objectsOf(matchExpressions).map(({ key, operator, values }) => ({
      key: String(key),
      operator: String(operator),
      values: Array.isArray(values) ? values.map(String) : [],
    })),
  ]
}

const OPERATORS: Readonly<Record<string, (value: string | undefined, values: readonly string[]) => boolean>> = {
  In: (value, values) => value !== undefined && values.includes(value),
  // What has no such label is selected, too.
  NotIn: (value, values) => value === undefined || !values.includes(value),
  Exists: value => value !== undefined,
  DoesNotExist: value => value === undefined,
}

export function selects(selector: LabelSelector, labels: Labels): boolean {
  return selector.every(({ key, operator, values }) => OPERATORS[operator]?.(labels[key], values) ?? false)
}

/** The labels of an object. */
export function labelsOf(object: JsonObject): Labels {
  const { labels } = objectOf(object.metadata)
  return Object.fromEntries(Object.entries(objectOf(labels)).map(([key, value]) => [key, String(value)]))
}
