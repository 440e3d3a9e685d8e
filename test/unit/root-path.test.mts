import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { guardedPath } from '../../lib/root-path.ts'

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
