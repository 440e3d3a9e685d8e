/** What can be told of a workflow without a runner: names that are used and not declared, keys that nobody knows. */
import { parse } from 'yaml'
import { INPUTS } from '../lib/action/inputs.ts'
import { OUTPUTS } from '../lib/action/outputs.ts'

export type Node = Readonly<Record<string, unknown>>

export interface Step {
  readonly uses?: string
  readonly with: Node
  readonly run?: string
}

const KEYS: Readonly<Record<'workflow' | 'job' | 'calling job' | 'step', readonly string[]>> = {
  workflow: ['name', 'run-name', 'on', 'permissions', 'env', 'concurrency', 'defaults', 'jobs'],
  job: [
    'name',
    'needs',
    'if',
    'runs-on',
    'permissions',
    'strategy',
    'env',
    'outputs',
    'steps',
    'concurrency',
    'timeout-minutes',
    'continue-on-error',
    'defaults',
    'environment',
    'services',
  ],
  'calling job': ['name', 'needs', 'if', 'permissions', 'strategy', 'concurrency', 'uses', 'with', 'secrets'],
  step: [
    'id',
    'name',
    'if',
    'uses',
    'with',
    'run',
    'env',
    'shell',
    'working-directory',
    'timeout-minutes',
    'continue-on-error',
  ],
}

/** Contexts of expressions. Source: docs.github.com, contexts reference. */
const CONTEXTS = ['github', 'env', 'vars', 'job', 'steps', 'runner', 'secrets', 'strategy', 'matrix', 'needs', 'inputs']

/** Whether a step is this action, by its address in documents or by its folder in our own workflows. */
export function isOurs({ uses = '' }: Pick<Step, 'uses'>): boolean {
  return uses === './' || uses === 'OWNER/kubestep@v1'
}

/** The steps of every job. */
export function stepsOf(text: string): Step[] {
  return Object.values(object(object(parse(text)).jobs)).flatMap(job =>
    list(object(job).steps).map(step => ({ ...step, with: object(step.with) })),
  )
}

/** Everything that is wrong with the text of a workflow, one line each. */
export function workflowFaults(text: string): string[] {
  const workflow = object(parse(text))
  const jobs = object(workflow.jobs)
  return [
    ...unknownKeys('workflow', workflow, 'it'),
    ...['name', 'on', 'permissions', 'jobs'].filter(key => !(key in workflow)).map(key => `it has no ${key}`),
    ...(JSON.stringify(workflow.permissions) === '{}' ? [] : ['permissions of the whole are not {}']),
    ...Object.entries(jobs).flatMap(([name, job]) => jobFaults(name, object(job), jobs)),
  ]
}

function jobFaults(name: string, job: Node, jobs: Node): string[] {
  const steps = list(job.steps)
  const needs = [job.needs ?? []].flat().map(String)
  const ids = steps.flatMap(({ id }) => (typeof id === 'string' ? [id] : []))
  return [
    ...unknownKeys('uses' in job ? 'calling job' : 'job', job, name),
    ...('uses' in job ? [] : ['runs-on', 'steps']).filter(key => !(key in job)).map(key => `${name} has no ${key}`),
    ...needs.filter(other => !(other in jobs)).map(other => `${name} needs "${other}", which is no job`),
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map(id => `${name} has two steps "${id}"`),
    ...steps.flatMap((step, index) => stepFaults(`${name} step ${index + 1}`, step)),
    ...expressionsOf(job).flatMap(expression =>
      referenceFaults(expression, { job, jobs, needs, steps }).map(fault => `${name}: ${fault} in "${expression}"`),
    ),
  ]
}

function stepFaults(name: string, step: Node): string[] {
  const given = object(step.with)
  return [
    ...unknownKeys('step', step, name),
    ...('uses' in step === 'run' in step ? [`${name} has to have one of uses and run`] : []),
    ...('with' in step && !('uses' in step) ? [`${name} has with beside run`] : []),
    ...(isOurs(step as Pick<Step, 'uses'>) ? Object.keys(given).filter(key => !(key in INPUTS)) : []).map(
      key => `${name} has input "${key}", which the action has not`,
    ),
  ]
}

/** Texts between `${{` and `}}`, and conditions, which are expressions as they stand. */
export function expressionsOf(value: unknown, key = ''): string[] {
  if (typeof value === 'string') {
    const inner = [...value.matchAll(/\$\{\{([\s\S]*?)\}\}/g)].map(([, text = '']) => text.trim())
    return key === 'if' && inner.length === 0 ? [value] : inner
  }
  if (Array.isArray(value)) return value.flatMap(item => expressionsOf(item))
  return Object.entries(object(value)).flatMap(([name, item]) => expressionsOf(item, name))
}

interface Scope {
  readonly job: Node
  readonly jobs: Node
  readonly needs: readonly string[]
  readonly steps: readonly Node[]
}

function referenceFaults(expression: string, { job, jobs, needs, steps }: Scope): string[] {
  const bare = expression.replace(/'[^']*'/g, "''")
  const references = [...bare.matchAll(/(?<![\w.-])([a-z]\w*)\.([\w-]+)(?:\.([\w-]+))?(?:\.([\w-]+))?/g)]
  return references.flatMap(([all, context = '', first = '', second = '', third = '']) => {
    if (!CONTEXTS.includes(context)) return [`"${context}" is not a context`]
    if (context === 'matrix') return matrixKeys(job).includes(first) ? [] : [`the matrix has no "${first}"`]
    if (context === 'needs') {
      if (!needs.includes(first)) return [`"${first}" is not needed`]
      return second !== 'outputs' || third in object(object(jobs[first]).outputs) ? [] : [`${all} is not declared`]
    }
    if (context !== 'steps') return []
    const step = steps.find(({ id }) => id === first)
    if (step === undefined) return [`there is no step "${first}"`]
    if (!['outputs', 'outcome', 'conclusion'].includes(second)) return [`a step has no ${second}`]
    return second !== 'outputs' || !isOurs(step as Pick<Step, 'uses'>) || third in OUTPUTS
      ? []
      : [`the action has no output "${third}"`]
  })
}

/** Names that a job's matrix gives; all of an included row's, too. */
function matrixKeys(job: Node): string[] {
  const { include, exclude, ...dimensions } = object(object(job.strategy).matrix)
  return [...Object.keys(dimensions), ...list(include).flatMap(row => Object.keys(row))]
}

function unknownKeys(kind: keyof typeof KEYS, node: Node, name: string): string[] {
  return Object.keys(node)
    .filter(key => !KEYS[kind].includes(key))
    .map(key => `${name} has "${key}", which no ${kind} has`)
}

/** A mapping; an empty one for anything else. */
export function object(value: unknown): Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Node) : {}
}

function list(value: unknown): Node[] {
  return Array.isArray(value) ? value.map(object) : []
}
