import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { guardedPath, isSafeTemporary } from '../../lib/machine/root-path.ts'

test('guardedPath() leaves out what somebody else can write, and says which programs are lost', {
  skip: process.getuid?.() === 0 ? false : 'the folders have to be root’s',
}, () => {
  const base = mkdtempSync(join(tmpdir(), 'kubestep path '))
  chmodSync(base, 0o755)
  const folder = (name: string, mode: number, programs: readonly string[]): string => {
    mkdirSync(join(base, name))
    for (const program of programs) writeFileSync(join(base, name, program), '', { mode: 0o755 })
    chmodSync(join(base, name), mode)
    return join(base, name)
  }
  const open = folder('open', 0o777, ['containerd', 'runc', 'something'])
  const ours = folder('ours', 0o755, ['runc'])
  const quiet = folder('quiet', 0o777, ['runc'])
  const { path, notices } = guardedPath([open, '', '.', 'relative', ours, join(base, 'missing'), quiet].join(':'))
  assert.equal(path, ours)
  assert.equal(notices.length, 1)
  assert.match(notices[0] ?? '', /^containerd in .*open not used as root: everybody may write .*open; make that root's/)
  rmSync(base, { recursive: true })
})

test('isSafeTemporary() takes folders where nobody moves what root makes', {
  skip: process.getuid?.() === 0 ? false : 'the folders have to be root’s',
}, () => {
  const base = mkdtempSync(join(tmpdir(), 'kubestep path '))
  chmodSync(base, 0o755)
  const rows: readonly (readonly [name: string, mode: number, owner: number, safe: boolean])[] = [
    ['ours', 0o755, 0, true],
    ['like-tmp', 0o1777, 0, true],
    ['open', 0o777, 0, false],
    ['theirs', 0o755, 65534, false],
    ['their-tmp', 0o1777, 65534, false],
  ]
  for (const [name, mode, owner, safe] of rows) {
    mkdirSync(join(base, name))
    chmodSync(join(base, name), mode)
    chownSync(join(base, name), owner, owner)
    assert.equal(isSafeTemporary(join(base, name)), safe, name)
  }
  assert.equal(isSafeTemporary(join(base, 'missing')), false)
  rmSync(base, { recursive: true })
})
