/** Plugins that somebody else's runtime lacks: which, where they go, and that they are written down. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fillGap, gapChanges, pluginGap } from '../../lib/phases/run/runtime-plugins.ts'

const top = mkdtempSync(join(tmpdir(), 'kubestep plugins '))
after(() => rmSync(top, { recursive: true, force: true }))

function folderOf(name: string, ...files: readonly string[]): string {
  const folder = join(top, name)
  mkdirSync(folder)
  for (const file of files) writeFileSync(join(folder, file), file, { mode: 0o755 })
  return folder
}

const gapOf = (...binDirs: readonly string[]) => pluginGap({ cni: { confDir: '/nowhere', binDirs } })
const everything = folderOf('everything', 'bridge', 'host-local', 'loopback', 'portmap', 'vlan')
const half = folderOf('half', 'bridge', 'loopback', 'theirs')
const other = folderOf('other', 'host-local', 'portmap')

test('a runtime that finds every plugin, in one folder or in several, lacks nothing', () => {
  assert.equal(gapOf(everything), undefined)
  assert.equal(gapOf(half, other), undefined)
})

test('what a runtime lacks goes into its first folder, and only that', () => {
  const gap = gapOf(half) ?? assert.fail()
  assert.deepEqual(gap, { folder: half, names: ['host-local', 'portmap'] })
  const changes = gapChanges(gap)
  fillGap(gap, everything)
  assert.deepEqual(readdirSync(half).sort(), ['bridge', 'host-local', 'loopback', 'portmap', 'theirs'])
  const before = ['bridge', 'loopback', 'theirs']
  assert.deepEqual(changes, [{ kind: 'contents', path: half, before, only: '^(host-local|portmap)(\\.tmp)?$' }])
})

test('a folder that is not there is made, and written down with all that leads to it', () => {
  const folder = join(top, 'opt/cni/bin')
  const gap = gapOf(folder) ?? assert.fail()
  assert.deepEqual(
    gapChanges(gap).map(change => ('path' in change ? `${change.kind} ${change.path}` : change.kind)),
    [`empty ${join(top, 'opt')}`, `empty ${join(top, 'opt/cni')}`, `empty ${folder}`, `contents ${folder}`],
  )
  fillGap(gap, everything)
  assert.deepEqual(readdirSync(folder).sort(), ['bridge', 'host-local', 'loopback', 'portmap'])
})
