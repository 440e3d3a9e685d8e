/** The house: floors that import downward only, rooms without circles, and one name for each file. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** Lowest first. Whatever is on a floor may import from its own and from those below. */
const FLOORS: readonly string[] = ['base', 'machine', 'cli', 'kubeadm', 'supply', 'cluster', 'phases', 'action']

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const IMPORT = /(?:^|\n)\s*(?:import|export)\s(type\s)?[^'"]*?from\s+'(\.[^']+)'|import\(\s*'(\.[^']+)'\s*\)/g

/** Tables, which grow by rows. */
const LONG_TABLES: readonly string[] = [
  'lib/action/inputs.ts',
  'lib/cli/options.ts',
  'lib/machine/host/host.ts',
  'lib/phases/preflight/kernel-checks.ts',
  'lib/supply/fetch/lock-file.ts',
]

const files = (readdirSync(join(ROOT, 'lib'), { recursive: true }) as string[])
  .filter(name => name.endsWith('.ts'))
  .map(name => `lib/${name}`)
const imports = new Map(
  files.map(file => [
    file,
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(IMPORT)].map(([, type, from, later]) => ({
      isType: type !== undefined,
      target: normalize(join(dirname(file), from ?? later ?? '')),
    })),
  ]),
)

const floorOf = (file: string): number => FLOORS.indexOf(file.split('/')[1] ?? '')
/** A folder of a floor; a file that lies on the floor itself is a room of its own. */
const roomOf = (file: string): string => file.split('/').slice(1, 3).join('/')

test('every file of lib is on a floor, and imports from its own or from those below', () => {
  assert.deepEqual(
    files.filter(file => floorOf(file) === -1),
    [],
  )
  const upward = [...imports].flatMap(([file, targets]) =>
    targets
      .filter(({ target }) => floorOf(target) > floorOf(file) || !target.startsWith('lib/'))
      .map(({ target }) => `${file} -> ${target}`),
  )
  assert.deepEqual(upward, [])
})

test('rooms do not import one another in a circle', () => {
  // Types are gone when it runs.
  const next = new Map<string, Set<string>>()
  for (const [file, targets] of imports) {
    const rooms = next.get(roomOf(file)) ?? new Set()
    for (const { target, isType } of targets) if (!isType && roomOf(target) !== roomOf(file)) rooms.add(roomOf(target))
    next.set(roomOf(file), rooms)
  }
  assert.deepEqual(circle(next), undefined)
})

test('files do not import one another in a circle', () => {
  const next = [...imports].map(([file, targets]): [string, Set<string>] => [
    file,
    new Set(targets.filter(({ isType }) => !isType).map(({ target }) => target)),
  ])
  assert.deepEqual(circle(new Map(next)), undefined)
})

test('no two files of lib have the same name', () => {
  const seen = files.map(file => basename(file))
  assert.deepEqual(
    seen.filter((name, index) => seen.indexOf(name) !== index),
    [],
  )
})

test('no file of lib has more than 250 lines, but for tables', () => {
  const long = files.filter(
    file => !LONG_TABLES.includes(file) && readFileSync(join(ROOT, file), 'utf8').split('\n').length > 251,
  )
  assert.deepEqual(long, [])
})

/** The first circle that is found, as its members; undefined without one. */
function circle(next: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const done = new Set<string>()
  const walk = (node: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node]
    if (done.has(node)) return undefined
    for (const target of next.get(node) ?? []) {
      const found = walk(target, [...path, node])
      if (found !== undefined) return found
    }
    done.add(node)
    return undefined
  }
  for (const node of next.keys()) {
    const found = walk(node, [])
    if (found !== undefined) return found
  }
  return undefined
}
