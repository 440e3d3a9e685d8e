/** Turns what the YAML library parsed into JSON values the way Go does, and notes what Go would refuse. */
import { Buffer } from 'node:buffer'
import type { Alias, Node, Scalar, YAMLMap } from 'yaml'
import type { Json } from '../json.ts'
import { library } from './library.ts'
import { formatKeyNumber, plainScalar, type ScalarType } from './plain-scalar.ts'

export type Path = readonly (string | number)[]

/** Something wrong at a place of the text; `offset` and `earlier` count UTF-16 units. */
export interface Finding {
  readonly path: Path
  readonly offset: number
  readonly reason: string
  /** Of a key that is set twice, where it was set first. */
  readonly earlier?: number
}

export interface Conversion {
  /** Left out when the document cannot be read. */
  readonly value?: Json
  readonly findings: readonly Finding[]
  /** Where each mapping holds its keys and each list its items. */
  readonly offsets: ReadonlyMap<Json, ReadonlyMap<string | number, number>>
}

interface State {
  readonly anchors: Map<string, Node>
  /** What each alias stands for: fixed where it is met first, as names can be given again. */
  readonly targets: Map<Alias, Node>
  readonly open: Set<Node>
  readonly findings: Finding[]
  readonly offsets: Map<Json, Map<string | number, number>>
  visits: number
  aliasVisits: number
  aliasDepth: number
}

/** The way to a value, from its end. */
interface Step {
  readonly key: string | number
  readonly parent: Step | undefined
}

/** What stops the conversion. */
class Refusal extends Error {
  readonly finding: Finding
  constructor(step: Step | undefined, node: Node, reason: string) {
    super(reason)
    this.finding = { path: pathOf(step), offset: offsetOf(node), reason }
  }
}

const BASE_64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const CORE = 'tag:yaml.org,2002:'
const TYPE_OF_TAG: Readonly<Record<string, ScalarType>> = {
  int: 'int',
  float: 'float',
  bool: 'bool',
  null: 'null',
  timestamp: 'timestamp',
}

/**
 * The JSON value of a parsed node: merge keys merged, aliases followed, keys turned to text.
 * Source: sigs.k8s.io/yaml over yaml/v2, as in Kubernetes 1.36; a key set twice is kept and noted.
 */
export function toJson(root: Node | null): Conversion {
  const state: State = {
    anchors: new Map(),
    targets: new Map(),
    open: new Set(),
    findings: [],
    offsets: new Map(),
    visits: 0,
    aliasVisits: 0,
    aliasDepth: 0,
  }
  const { findings, offsets } = state
  try {
    return { value: convert(state, root, undefined), findings, offsets }
  } catch (error) {
    if (error instanceof Refusal) return { findings: [...findings, error.finding], offsets }
    if (error instanceof RangeError) {
      return { findings: [...findings, { path: [], offset: 0, reason: 'it is nested too deeply' }], offsets }
    }
    throw error
  }
}

function convert(state: State, node: Node | null, step: Step | undefined): Json {
  if (node === null) return null
  count(state, node, step)
  const { isAlias, isMap, isSeq } = library()
  if (isAlias(node)) return follow(state, node, step, target => convert(state, target, step))
  if (node.anchor !== undefined && state.aliasDepth === 0) state.anchors.set(node.anchor, node)
  if (isMap<Node, Node | null>(node)) return convertMapping(state, node, step)
  if (isSeq<Node>(node)) {
    const items = node.items.map((item, index) => convert(state, item, { key: index, parent: step }))
    state.offsets.set(items, new Map(node.items.map((item, index) => [index, offsetOf(item)])))
    return items
  }
  const value = scalarValue(node as Scalar, step)
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new Refusal(step, node, `${(node as Scalar).source} is not a number that JSON knows`)
  }
  return typeof value === 'bigint' ? Number(value) : value
}

function convertMapping(state: State, node: YAMLMap<Node, Node | null>, step: Step | undefined): Json {
  const members = new Map<string, Json>()
  const offsets = new Map<string, number>()
  const own = new Map<string, number>()
  for (const { key: keyNode, value: valueNode } of node.items) {
    if (isMergeKey(keyNode)) {
      for (const source of mergeSources(state, valueNode ?? keyNode, step)) {
        const merged = convert(state, source, step)
        for (const [key, value] of Object.entries(merged ?? {})) {
          members.set(key, value)
          offsets.set(key, state.offsets.get(merged)?.get(key) ?? offsetOf(source))
        }
      }
      continue
    }
    const key = keyText(state, keyNode, step)
    const inner = { key, parent: step }
    const [earlier, offset] = [own.get(key), offsetOf(keyNode)]
    if (earlier !== undefined && state.aliasDepth === 0) {
      state.findings.push({ path: pathOf(inner), offset, earlier, reason: 'it is set twice' })
    }
    members.set(key, convert(state, valueNode, inner))
    offsets.set(key, offset)
    own.set(key, earlier ?? offset)
  }
  const value = Object.fromEntries(members)
  state.offsets.set(value, offsets)
  return value
}

function isMergeKey(node: Node): boolean {
  const { source, type, tag } = node as Scalar
  return source === '<<' && (tag === `${CORE}merge` || (type === 'PLAIN' && tag === undefined))
}

/** The mappings to merge, those that give way first. */
function mergeSources(state: State, node: Node, step: Step | undefined): readonly Node[] {
  const { isAlias, isMap, isSeq } = library()
  const isMapping = (item: Node): boolean =>
    isMap(item) || (isAlias(item) && follow(state, item, step, target => isMap(target)))
  const sources = isSeq<Node>(node) ? [...node.items].reverse() : [node]
  const wrong = sources.find(source => !isMapping(source))
  if (wrong !== undefined) throw new Refusal(step, wrong, 'what "<<" merges has to be a mapping or a list of mappings')
  return sources
}

function follow<Result>(state: State, alias: Alias, step: Step | undefined, use: (target: Node) => Result): Result {
  const target = state.targets.get(alias) ?? state.anchors.get(alias.source)
  if (target === undefined) throw new Refusal(step, alias, `nothing before it is named "&${alias.source}"`)
  if (state.open.has(target)) throw new Refusal(step, alias, `"&${alias.source}" contains itself`)
  state.targets.set(alias, target)
  state.open.add(target)
  state.aliasDepth += 1
  const result = use(target)
  state.aliasDepth -= 1
  state.open.delete(target)
  return result
}

/** Stops documents that are small but mean something huge, at the same point as Go. */
function count(state: State, node: Node, step: Step | undefined): void {
  state.visits += 1
  state.aliasVisits += state.aliasDepth > 0 ? 1 : 0
  const [low, high] = [400_000, 4_000_000]
  const allowed = 0.99 - 0.89 * Math.min(1, Math.max(0, (state.visits - low) / (high - low)))
  if (state.aliasVisits > 100 && state.visits > 1000 && state.aliasVisits / state.visits > allowed) {
    throw new Refusal(step, node, 'aliases make far more of the document than what is written in it')
  }
}

function keyText(state: State, node: Node, step: Step | undefined): string {
  const { isAlias, isScalar } = library()
  if (isAlias(node)) return follow(state, node, step, target => keyText(state, target, step))
  if (node.anchor !== undefined) state.anchors.set(node.anchor, node)
  const value = isScalar(node) ? scalarValue(node, step) : null
  if (value === null) {
    throw new Refusal(step, node, `a key has to be text, this one is ${isScalar(node) ? 'null' : 'a collection'}`)
  }
  return typeof value === 'number' ? formatKeyNumber(value) : String(value)
}

function scalarValue(node: Scalar, step: Step | undefined): null | boolean | bigint | number | string {
  const text = node.source ?? ''
  if (node.tag === undefined) return node.type === 'PLAIN' ? plainScalar(text).value : text
  const name = node.tag.startsWith(CORE) ? node.tag.slice(CORE.length) : ''
  if (name === 'binary') {
    if (!BASE_64.test(text.replaceAll('\n', ''))) {
      throw new Refusal(step, node, 'it is tagged !!binary but is no base64')
    }
    return Buffer.from(text, 'base64').toString()
  }
  const wanted = TYPE_OF_TAG[name]
  if (wanted === undefined) return text
  const { type, value } = plainScalar(text)
  if (type !== wanted && !(type === 'int' && wanted === 'float')) {
    throw new Refusal(step, node, `it is tagged !!${name} but is no ${name}`)
  }
  return value
}

function offsetOf(node: Node): number {
  return node.range?.[0] ?? 0
}

function pathOf(step: Step | undefined): Path {
  const path: (string | number)[] = []
  for (let at = step; at !== undefined; at = at.parent) path.unshift(at.key)
  return path
}
