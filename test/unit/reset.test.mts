import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { folderChange } from '../../lib/cluster/plan.ts'
import type { Change } from '../../lib/journal.ts'
import { othersChanges, ownerOf } from '../../lib/reset/owner.ts'
import { undo } from '../../lib/reset/undo.ts'
import { supervisor } from '../../lib/service/supervisor.ts'

interface Row {
  readonly name: string
  /** Paths that are there before; `->` makes a link, a slash at the end a folder. */
  readonly before: readonly string[]
  /** The folder that an init is going to fill. */
  readonly folder: string
  readonly made: readonly string[]
}

const ROWS: readonly Row[] = [
  { name: 'a folder that was not there', before: [], folder: 'a', made: ['a/x', 'a/b/y'] },
  { name: 'the folders that lead to it', before: ['keep/'], folder: 'keep/a/b', made: ['keep/a/b/x', 'keep/a/c'] },
  { name: 'what came into a folder', before: ['a/mine', 'a/b/mine'], folder: 'a', made: ['a/x', 'a/c/y'] },
  {
    name: 'what came into a folder that the user has elsewhere',
    before: ['disk/mine', 'a -> disk'],
    folder: 'a',
    made: ['a/x', 'a/c/y'],
  },
]

const CONTEXT = { services: supervisor({ scripts: '/nowhere', run: '/nowhere', logs: '/nowhere' }) }

function temporary(): string {
  return mkdtempSync(join(tmpdir(), 'kubestep reset '))
}

function make(root: string, row: string): void {
  const [name = '', target] = row.split(' -> ')
  const path = join(root, name)
  mkdirSync(dirname(path), { recursive: true })
  if (target !== undefined) symlinkSync(target, path)
  else if (name.endsWith('/')) mkdirSync(path)
  else writeFileSync(path, name)
}

function tree(root: string): string[] {
  return (readdirSync(root, { recursive: true }) as string[]).sort()
}

for (const { name, before, folder, made } of ROWS) {
  test(`undo() takes away ${name}, twice in a row`, async () => {
    const root = temporary()
    for (const row of before) make(root, row)
    const was = tree(root)
    const change = folderChange(join(root, folder))
    for (const path of made) make(root, path)
    for (const _ of [1, 2]) {
      assert.equal(await undo(change, CONTEXT), undefined)
      assert.deepEqual(tree(root), was)
    }
    rmSync(root, { recursive: true })
  })
}

test('undo() takes away only the names of a cluster where others work too', async () => {
  const root = temporary()
  const path = join(root, 'netns')
  for (const row of ['netns/cni-1', 'netns/mine', 'netns/cni-2']) make(root, row)
  const change: Change = { kind: 'contents', path, before: ['cni-1'], only: '^cni-' }
  assert.equal(await undo(change, CONTEXT), undefined)
  assert.deepEqual(tree(root), ['netns', 'netns/cni-1', 'netns/mine'])
  rmSync(root, { recursive: true })
})

test('undo() takes away a shared folder when nothing is in it', async () => {
  const root = temporary()
  make(root, 'a/b/')
  for (const [path, left] of [
    ['a', ['a', 'a/b']],
    ['a/b', ['a']],
    ['a', []],
    ['a', []],
  ] as const) {
    assert.equal(await undo({ kind: 'empty', path: join(root, path) }, CONTEXT), undefined)
    assert.deepEqual(tree(root), left)
  }
  rmSync(root, { recursive: true })
})

test('undo() restores a file that was there, and removes one that was not', async () => {
  const root = temporary()
  const [old, fresh] = [join(root, 'old'), join(root, 'fresh')]
  const changes: readonly Change[] = [
    { kind: 'file', path: old, before: Buffer.from('as it was').toString('base64'), mode: 0o600 },
    { kind: 'file', path: fresh, before: null, mode: 0o644 },
  ]
  for (const path of [old, fresh]) writeFileSync(path, 'ours')
  for (const change of changes) assert.equal(await undo(change, CONTEXT), undefined)
  assert.equal(readFileSync(old, 'utf8'), 'as it was')
  assert.equal(existsSync(fresh), false)
  rmSync(root, { recursive: true })
})

test('undo() gives the reason when it cannot', async () => {
  const change: Change = { kind: 'runtime', socket: 'unix:///nowhere/cri.sock', ours: false, sandboxes: [] }
  assert.match((await undo(change, CONTEXT)) ?? '', /\/nowhere\/cri\.sock/)
})

describe('othersChanges()', () => {
  const before = { kind: 'file', path: '/etc/a', before: null, mode: 0o600 } as const
  const after = { kind: 'module', name: 'x' } as const
  for (const [what, changes, expected] of [
    ['nothing', [], 0],
    ['a cluster of its own', [{ kind: 'init', owner: 'me' }, after], 0],
    ['a cluster of its own, behind phases', [before, { kind: 'init', owner: 'me' }, after], 1],
    ["another one's cluster", [{ kind: 'init', owner: 'you' }, after], 2],
    ['a cluster that says nothing', [{ kind: 'init' }, after], 2],
    ['phases alone', [before], 1],
  ] as const) {
    test(`keeps ${expected} of ${what}`, () => assert.equal(othersChanges(changes, 'me'), expected))
  }
})

test('ownerOf() takes names alone', () => {
  assert.equal(ownerOf({ name: 'init', flags: { owner: 'a-1.b' } }), 'a-1.b')
  assert.equal(ownerOf({ name: 'init', flags: {} }), undefined)
  assert.throws(
    () => ownerOf({ name: 'init', flags: { owner: 'a b' } }),
    /init: cannot use --owner "a b": it is no name/,
  )
})
