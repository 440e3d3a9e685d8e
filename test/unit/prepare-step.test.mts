import assert from 'node:assert/strict'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { LAYOUT } from '../../lib/base/paths.ts'
import { loadInitConfig } from '../../lib/kubeadm/config/load-config.ts'
import { type HostSource, liveHost } from '../../lib/machine/host/host-source.ts'
import { readKernel } from '../../lib/machine/host/kernel-features.ts'
import { reversed, withEdits } from '../../lib/machine/host-change.ts'
import { swapWord, ufwRules } from '../../lib/machine/running-settings.ts'
import { unifiedDiff } from '../../lib/phases/prepare/diff.ts'
import {
  chosenItems,
  makePlans,
  planItems,
  preparedChanges,
  showPlans,
  undoPreparation,
} from '../../lib/phases/prepare/prepare.ts'
import { GOLDEN_FACTS } from '../facts.ts'

const FSTAB = 'UUID=1 / ext4 defaults 0 1\n/swapfile none swap sw 0 0\n# the end'
const FILES: Readonly<Record<string, string>> = {
  '/etc/fstab': FSTAB,
  '/etc/hosts': '127.0.0.1 localhost\n',
  '/etc/hostname': 'old\n',
  '/etc/selinux/config': 'SELINUX=enforcing\n',
  '/etc/timezone': 'Etc/UTC\n',
  '/usr/share/zoneinfo/Asia/Shanghai': 'x',
}

function machine(): string {
  const root = mkdtempSync(join(tmpdir(), 'kubestep prepare-'))
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  chmodSync(join(root, '/etc/fstab'), 0o640)
  symlinkSync('/usr/share/zoneinfo/Etc/UTC', join(root, '/etc/localtime'))
  return root
}

async function prepared(root: string, say: string[] = [], timeZone = 'Asia/Shanghai'): Promise<HostSource> {
  const host = liveHost(root)
  const { config } = loadInitConfig({ flags: {} }, GOLDEN_FACTS)
  const context = { host, live: false, kernel: readKernel(host), config, install: false, hostName: 'node-1', timeZone }
  const plans = await planItems(chosenItems(['all', 'swap', 'selinux']), context)
  await makePlans(plans, host, line => say.push(line))
  return host
}

/** All that is below a folder: texts with modes, links with targets. */
function tree(root: string, path = ''): string[] {
  return readdirSync(join(root, path))
    .sort()
    .flatMap(name => {
      const inner = `${path}/${name}`
      const stats = lstatSync(join(root, inner))
      if (stats.isSymbolicLink()) return [`${inner} -> ${readlinkSync(join(root, inner))}`]
      if (stats.isDirectory()) return [inner, ...tree(root, inner)]
      return [`${inner} ${(stats.mode & 0o777).toString(8)} ${JSON.stringify(readFileSync(join(root, inner), 'utf8'))}`]
    })
}

const read = (root: string, path: string): string => readFileSync(join(root, path), 'utf8')

test('makePlans() below a folder changes its files, and undoPreparation() leaves it as it was', async () => {
  const root = machine()
  mkdirSync(join(root, dirname(LAYOUT.prepared)), { recursive: true })
  writeFileSync(join(root, dirname(LAYOUT.prepared), 'other'), '')
  const before = tree(root)
  const host = await prepared(root)
  assert.equal(read(root, '/etc/fstab'), FSTAB.replace('/swapfile', '# kubestep: /swapfile'))
  assert.equal(statSync(join(root, '/etc/fstab')).mode & 0o777, 0o640)
  assert.equal(read(root, '/etc/hosts'), '127.0.0.1 localhost\n10.0.0.5\tvm\t# kubestep\n')
  assert.equal(read(root, '/etc/hostname'), 'node-1\n')
  assert.equal(read(root, '/etc/selinux/config'), 'SELINUX=permissive\n')
  assert.equal(readlinkSync(join(root, '/etc/localtime')), '/usr/share/zoneinfo/Asia/Shanghai')
  assert.match(read(root, '/etc/modules-load.d/kubestep.conf'), /\noverlay\nbr_netfilter\nnf_conntrack\n$/)
  assert.match(read(root, '/etc/sysctl.d/99-kubestep.conf'), /\nnet\.ipv4\.ip_forward = 1\n/)
  assert.equal(statSync(join(root, LAYOUT.prepared)).mode & 0o777, 0o600)

  const after = tree(root)
  await prepared(root)
  assert.deepEqual(tree(root), after)

  const said: string[] = []
  assert.equal((await undoPreparation(host, line => said.push(line))).count, 8)
  assert.equal(said.length, 0)
  assert.deepEqual(tree(root), before)
  assert.equal((await undoPreparation(host, line => said.push(line))).count, 0)
  rmSync(root, { recursive: true })
})

test('undoPreparation() keeps what a user changed after it, and says so', async () => {
  const root = machine()
  const host = await prepared(root)
  writeFileSync(
    join(root, '/etc/fstab'),
    `${read(root, '/etc/fstab').replace('UUID=1', 'UUID=2')}\n/y none swap sw 0 0\n`,
  )
  writeFileSync(join(root, '/etc/hosts'), `${read(root, '/etc/hosts')}10.0.0.7 mine\n`)
  writeFileSync(join(root, '/etc/selinux/config'), 'SELINUX=disabled\n')
  writeFileSync(join(root, '/etc/sysctl.d/99-kubestep.conf'), 'net.ipv4.ip_forward = 0\n')
  rmSync(join(root, '/etc/localtime'))
  symlinkSync('/usr/share/zoneinfo/Europe/Berlin', join(root, '/etc/localtime'))
  rmSync(join(root, '/etc/timezone'))
  const said: string[] = []
  await undoPreparation(host, line => said.push(line))
  assert.equal(
    read(root, '/etc/fstab'),
    'UUID=2 / ext4 defaults 0 1\n/swapfile none swap sw 0 0\n# the end\n/y none swap sw 0 0',
  )
  assert.equal(read(root, '/etc/hosts'), '127.0.0.1 localhost\n10.0.0.7 mine\n')
  assert.equal(read(root, '/etc/selinux/config'), 'SELINUX=disabled\n')
  assert.equal(read(root, '/etc/sysctl.d/99-kubestep.conf'), 'net.ipv4.ip_forward = 0\n')
  assert.equal(readlinkSync(join(root, '/etc/localtime')), '/usr/share/zoneinfo/Europe/Berlin')
  assert.deepEqual(said, [
    '[prepare] "/etc/sysctl.d/99-kubestep.conf" was changed after it was written: it stays as it is',
    '[prepare] "/etc/selinux/config" was changed: "SELINUX=permissive" is not there any more',
    '[prepare] "/etc/timezone" is gone: nothing is put back into it',
    '[prepare] link "/etc/localtime" was changed: it stays as it is',
  ])
  rmSync(root, { recursive: true })
})

test('undoPreparation() goes back over several preparations to the first state', async () => {
  const root = machine()
  writeFileSync(join(root, '/usr/share/zoneinfo/UTC'), 'x')
  const before = tree(root)
  await prepared(root)
  await prepared(root, [], 'UTC')
  const host = await prepared(root)
  assert.equal(read(root, '/etc/timezone'), 'Asia/Shanghai\n')
  const said: string[] = []
  await undoPreparation(host, line => said.push(line))
  assert.equal(said.length, 0)
  rmSync(join(root, 'var'), { recursive: true })
  assert.deepEqual(tree(root), before)
  rmSync(root, { recursive: true })
})

test('undoPreparation() gives a user back what prepare wrote over', async () => {
  const root = machine()
  await prepared(root)
  writeFileSync(join(root, '/etc/sysctl.d/99-kubestep.conf'), 'net.ipv4.ip_forward = 0\n')
  const host = await prepared(root)
  assert.match(read(root, '/etc/sysctl.d/99-kubestep.conf'), /ip_forward = 1/)
  const said: string[] = []
  await undoPreparation(host, line => said.push(line))
  assert.equal(read(root, '/etc/sysctl.d/99-kubestep.conf'), 'net.ipv4.ip_forward = 0\n')
  assert.match(said.join('\n'), /99-kubestep\.conf" was changed after it was written: it stays as it is$/)
  rmSync(root, { recursive: true })
})

test('makePlans() makes the others when one change fails, and undoing needs no more than the record', async () => {
  const root = machine()
  rmSync(join(root, '/etc/hosts'))
  mkdirSync(join(root, '/etc/hosts'))
  await assert.rejects(prepared(root), /hosts/)
  assert.equal(read(root, '/etc/hostname'), 'node-1\n')
  assert.ok(preparedChanges(liveHost(root)).length >= 7)
  rmSync(root, { recursive: true })
})

test('showPlans() shows files as a diff and values as old -> new, and touches nothing', async () => {
  const root = machine()
  const before = tree(root)
  const host = liveHost(root)
  const { config } = loadInitConfig({ flags: {} }, GOLDEN_FACTS)
  const context = { host, live: false, kernel: readKernel(host), config, install: false, timeZone: 'Asia/Shanghai' }
  const said: string[] = []
  const plans = await planItems(chosenItems(['swap', 'time-zone']), context)
  assert.equal(
    showPlans(plans, host, line => said.push(line)),
    true,
  )
  assert.deepEqual(said, [
    '[prepare] time-zone would change:',
    'link /etc/localtime: /usr/share/zoneinfo/Etc/UTC -> /usr/share/zoneinfo/Asia/Shanghai',
    '--- /etc/timezone',
    '+++ /etc/timezone',
    '@@ -1 +1 @@',
    '-Etc/UTC',
    '+Asia/Shanghai',
    '[prepare] swap would change:',
    '--- /etc/fstab',
    '+++ /etc/fstab',
    '@@ -1,3 +1,3 @@',
    ' UUID=1 / ext4 defaults 0 1',
    '-/swapfile none swap sw 0 0',
    '+# kubestep: /swapfile none swap sw 0 0',
    ' # the end',
  ])
  assert.deepEqual(tree(root), before)
  assert.equal(
    showPlans([], host, line => said.push(line)),
    false,
  )
  rmSync(root, { recursive: true })
})

const EDITS: readonly (readonly [text: string, edits: Parameters<typeof withEdits>[1], result: string])[] = [
  ['a\nb\n', [{ before: 'b', after: 'c' }], 'a\nc\n'],
  ['a\nb', [{ before: 'b', after: 'c' }], 'a\nc'],
  ['b\nb\n', [{ before: 'b', after: 'c' }], 'c\nc\n'],
  ['a\n', [{ before: 'b', after: 'c' }], 'a\n'],
  ['a\n', [{ before: null, after: 'c' }], 'a\nc\n'],
  ['a', [{ before: null, after: 'c' }], 'a\nc\n'],
  ['', [{ before: null, after: 'c' }], 'c\n'],
  ['a\nc\nb\n', [{ before: null, after: 'c' }], 'a\nc\nb\n'],
  ['a\nb\n\n', [{ before: 'b', after: null }], 'a\n\n'],
  ['b\n', [{ before: 'b', after: null }], ''],
]

for (const [text, edits, result] of EDITS) {
  test(`withEdits() of ${JSON.stringify(text)} by ${JSON.stringify(edits)}`, () => {
    assert.equal(withEdits(text, edits), result)
  })
}

test('reversed() edits take back what edits did, in any order of lines', () => {
  const edits = [
    { before: 'a', after: '#a' },
    { before: null, after: 'z' },
  ]
  assert.equal(withEdits(withEdits('a\nb\n', edits), reversed(edits)), 'a\nb\n')
})

test('unifiedDiff() has three lines around each change, and hunks where they are far apart', () => {
  const lines = Array.from({ length: 20 }, (_, index) => `${index + 1}`)
  const before = `${lines.join('\n')}\n`
  const after = `${['0', ...lines.map(line => (line === '15' ? 'x' : line))].join('\n')}\n`
  assert.deepEqual(unifiedDiff('/f', before, after), [
    '--- /f',
    '+++ /f',
    '@@ -1,3 +1,4 @@',
    '+0',
    ' 1',
    ' 2',
    ' 3',
    '@@ -12,7 +13,7 @@',
    ' 12',
    ' 13',
    ' 14',
    '-15',
    '+x',
    ' 16',
    ' 17',
    ' 18',
  ])
  assert.deepEqual(unifiedDiff('/f', null, 'a\n'), ['--- /dev/null', '+++ /f', '@@ -0,0 +1 @@', '+a'])
  assert.deepEqual(unifiedDiff('/f', 'a\n', 'a\n'), [])
})

test('swapWord() and ufwRules() read what the programs write', () => {
  assert.equal(swapWord(-2), 'on')
  assert.equal(swapWord(100), 'on, priority 100')
  assert.deepEqual(
    ufwRules("Added user rules:\nufw allow 6443/tcp\nufw allow from 10.0.0.0/8 comment 'my pods'\n(None)\n"),
    ['allow 6443/tcp', 'allow from 10.0.0.0/8'],
  )
})
