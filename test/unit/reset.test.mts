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
import { KubestepError } from '../../lib/base/errors.ts'
import type { Flags } from '../../lib/cli/options.ts'
import { which } from '../../lib/machine/command.ts'
import { readFactsAnywhere } from '../../lib/machine/host/read-facts.ts'
import { readSysctl } from '../../lib/machine/host/sysctl.ts'
import { type Change, openJournal } from '../../lib/machine/journal.ts'
import { supervisor } from '../../lib/machine/service/supervisor.ts'
import { othersChanges, ownerOf } from '../../lib/phases/reset/cluster-owner.ts'
import { readRequest, strangers } from '../../lib/phases/reset/request.ts'
import { undo } from '../../lib/phases/reset/undo.ts'
import { undoAll } from '../../lib/phases/reset/undo-all.ts'
import { DAEMONS } from '../../lib/phases/reset/undo-runtime.ts'
import { isInTheWay, leftLines, stayOf } from '../../lib/phases/reset/what-stays.ts'
import { folderChange } from '../../lib/phases/run/planned-changes.ts'

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
      assert.deepEqual((await undo(change, CONTEXT)).stays ?? [], [])
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
  assert.deepEqual((await undo(change, CONTEXT)).stays ?? [], [])
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
    assert.deepEqual((await undo({ kind: 'empty', path: join(root, path) }, CONTEXT)).stays ?? [], [])
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
  for (const change of changes) assert.deepEqual((await undo(change, CONTEXT)).stays ?? [], [])
  assert.equal(readFileSync(old, 'utf8'), 'as it was')
  assert.equal(existsSync(fresh), false)
  rmSync(root, { recursive: true })
})

test('undo() leaves a network namespace in which somebody lives', async () => {
  const root = temporary()
  // A file that is the namespace of this process; the other one is nobody's.
  symlinkSync('/proc/self/ns/net', join(root, 'cni-12345678-mine'))
  make(root, 'cni-87654321-gone')
  const change: Change = { kind: 'contents', path: root, before: [], only: '^(cni-)?[0-9a-f]{8}-', idle: true }
  assert.deepEqual((await undo(change, CONTEXT)).stays, [])
  assert.deepEqual(tree(root), ['cni-12345678-mine'])
  rmSync(root, { recursive: true })
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
    /init: cannot use --owner "a b": it is not a name/,
  )
})
/** What nobody can remove or change, in the order in which it is undone. */
const STUCK: readonly Change[] = [
  { kind: 'sysctl', key: 'kernel.osrelease', before: '0.1' },
  { kind: 'sysctl', key: 'kernel.ostype', before: 'Other' },
  { kind: 'file', path: '/proc/version', before: null, mode: 0o600 },
]

test('undoAll() does all that can be done, says what is left in a line a kind, and remembers that alone', async () => {
  const root = temporary()
  const journal = openJournal(join(root, 'journal.jsonl'))
  const file = join(root, 'made')
  writeFileSync(file, 'ours')
  const done: readonly Change[] = [
    { kind: 'file', path: file, before: null, mode: 0o600 },
    // Read-only, but as it was; and one that went with its module.
    { kind: 'sysctl', key: 'kernel.version', before: readSysctl('kernel.version') ?? '' },
    { kind: 'sysctl', key: 'net.nowhere.at_all', before: '1' },
  ]
  journal.record(...done, ...STUCK)
  const left = await undoAll(journal, { detail: () => {}, note: () => {} }, 0, CONTEXT)
  assert.equal(existsSync(file), false)
  assert.deepEqual(openJournal(journal.path).changes(), STUCK)
  const lines = leftLines(left)
  assert.equal(lines.length, 2, lines.join('\n'))
  assert.match(
    lines.join('\n'),
    /^reset: cannot bring back file "\/proc\/version": [^;]+; .+ and run reset again\nreset: cannot set back 2 sysctls \(kernel\.ostype, kernel\.osrelease\): [^;:]+; .+ and run reset again$/,
  )
  assert.deepEqual(
    left.filter(isInTheWay).map(({ change }) => change.kind),
    ['file'],
  )
  rmSync(root, { recursive: true })
})

test('undoAll() of a second try goes back to what phases had made before, and forgets what came to be as it was', async () => {
  const root = temporary()
  const journal = openJournal(join(root, 'journal.jsonl'))
  const older: Change = { kind: 'file', path: join(root, 'phase'), before: null, mode: 0o600 }
  writeFileSync(older.path, 'made by a phase')
  journal.record(older, { kind: 'init' }, ...STUCK.slice(0, 1))
  const say = { detail: () => {}, note: () => {} }
  assert.equal((await undoAll(journal, say, 1, CONTEXT)).length, 1)
  assert.deepEqual(openJournal(journal.path).changes(), [older, { kind: 'init' }, STUCK[0]])
  journal.keep([older, { kind: 'init' }])
  assert.deepEqual(await undoAll(journal, say, 1, CONTEXT), [])
  assert.deepEqual(openJournal(journal.path).changes(), [older])
  assert.equal(existsSync(older.path), true)
  rmSync(root, { recursive: true })
})

const READ_ONLY = Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' })

for (const { error, line } of [
  { error: READ_ONLY, line: 'the file system is read-only; mount it read-write' },
  {
    error: new KubestepError('files: cannot write "/a": the file system is read-only; choose another folder', {
      cause: READ_ONLY,
    }),
    line: 'the file system is read-only; mount it read-write',
  },
  {
    error: new KubestepError('prepare: cannot set sysctl "a.b" to 0: /proc/sys is read-only; mount it read-write', {
      cause: READ_ONLY,
    }),
    line: '/proc/sys is read-only; mount it read-write',
  },
  {
    error: new KubestepError('runtime: cannot connect to "unix:///x": connect ENOENT /x; is the runtime running?'),
    line: 'connect ENOENT /x; is the runtime running?',
  },
  { error: new Error('out of order'), line: 'out of order; see to that' },
]) {
  test(`stayOf() reads ${JSON.stringify(error.message)}`, () => {
    const { reason, advice } = stayOf('x', error)
    assert.equal(`${reason}; ${advice}`, line)
  })
}

const RESET_FILE = `apiVersion: kubeadm.k8s.io/v1beta4
kind: ResetConfiguration
dryRun: true
force: true
skipPhases: [cleanupnode]
unmountFlags: [MNT_DETACH]
`

describe('readRequest()', () => {
  const facts = readFactsAnywhere()
  const ask = (flags: Flags, text?: string): Omit<ReturnType<typeof readRequest>, 'notices'> => {
    const { dryRun, skipped } = readRequest(flags, text === undefined ? {} : { text, file: 'r.yaml' }, facts)
    return { dryRun, skipped }
  }
  for (const [what, flags, text, expected] of [
    ['nothing', {}, undefined, { dryRun: false, skipped: [] }],
    [
      "kubeadm's flags",
      { force: true, 'cert-dir': '/a', 'cri-socket': 'b' },
      undefined,
      { dryRun: false, skipped: [] },
    ],
    [
      'phases',
      { 'skip-phases': 'preflight,cleanupnode' },
      undefined,
      { dryRun: false, skipped: ['preflight', 'cleanup-node'] },
    ],
    ['a file', {}, RESET_FILE, { dryRun: true, skipped: ['cleanup-node'] }],
    [
      'a file and flags that win',
      { 'dry-run': false, 'skip-phases': 'preflight', force: true },
      RESET_FILE,
      { dryRun: false, skipped: ['preflight'] },
    ],
  ] as const) {
    test(`reads ${what}`, () => assert.deepEqual(ask(flags, text), expected))
  }
  for (const [what, flags, text, expected] of [
    [
      'a phase that there is not',
      { 'skip-phases': 'cleanup-nodes' },
      undefined,
      /cannot skip phase "cleanup-nodes".*did you mean "cleanup-node"/,
    ],
    [
      'flags that the file decides',
      { 'cri-socket': 'x', 'cert-dir': '/y' },
      RESET_FILE,
      /together with --cert-dir, --cri-socket/,
    ],
    [
      'a file of another kind',
      {},
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\n',
      /no ResetConfiguration found/,
    ],
    ['a field that there is not', {}, `${RESET_FILE}forced: true\n`, /r\.yaml:7: .*forced/],
    ['a flag of umount that there is not', {}, RESET_FILE.replace('MNT_DETACH', 'MNT_LAZY'), /unknown unmount flag/],
  ] as const) {
    test(`refuses ${what}`, () => assert.throws(() => ask(flags, text), expected))
  }

  test('strangers() names what is not in the record', () => {
    const changes: readonly Change[] = [
      { kind: 'tree', path: '/etc/kubernetes' },
      { kind: 'runtime', socket: 'unix:///run/containerd/containerd.sock', ours: false, sandboxes: [] },
    ]
    const known = { 'cert-dir': '/etc/kubernetes/pki/', 'cri-socket': '/var/run/containerd/containerd.sock' }
    assert.deepEqual(strangers(known, changes), [])
    assert.deepEqual(strangers({}, changes), [])
    assert.deepEqual(
      strangers({ 'cert-dir': '/srv/pki', 'cri-socket': 'unix:///run/crio/crio.sock' }, changes).map(
        line => line.split('"')[1],
      ),
      ['/srv/pki', 'unix:///run/crio/crio.sock'],
    )
  })
})

test('undoAll() leaves the configuration of a network to Pods that cannot go yet', async () => {
  const root = temporary()
  const journal = openJournal(join(root, 'journal.jsonl'))
  make(root, 'net.d/10-kubestep.conflist')
  const network = join(root, 'net.d')
  const changes: readonly Change[] = [
    { kind: 'file', path: join(network, '10-kubestep.conflist'), before: null, mode: 0o644 },
    { kind: 'file', path: join(root, 'made'), before: null, mode: 0o644 },
    {
      kind: 'runtime',
      socket: `unix://${root}/no.sock`,
      ours: false,
      sandboxes: [],
      groups: { roots: [], before: [] },
      network,
    },
  ]
  writeFileSync(join(root, 'made'), '')
  journal.record(...changes)
  const left = await undoAll(journal, { detail: () => {}, note: () => {} }, 0, CONTEXT)
  // Where no runtime is installed nothing can be left in one.
  if (DAEMONS.some(name => which(name) !== undefined)) {
    assert.deepEqual(openJournal(journal.path).changes(), [changes[0], changes[2]])
    assert.equal(leftLines(left).length, 1)
    assert.match(
      leftLines(left)[0] ?? '',
      /^reset: cannot remove the Pods of runtime "unix:.+; start that runtime and run/,
    )
    assert.deepEqual(left.filter(isInTheWay), [])
    assert.ok(existsSync(join(network, '10-kubestep.conflist')))
  } else assert.deepEqual(left, [])
  assert.equal(existsSync(join(root, 'made')), false)
  rmSync(root, { recursive: true })
})
