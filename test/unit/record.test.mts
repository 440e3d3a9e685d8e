import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Change } from '../../lib/machine/journal.ts'
import { covers, missingFolders } from '../../lib/phases/run/record-changes.ts'

test('missingFolders() gives what is not there, outermost first', () => {
  const root = mkdtempSync(join(tmpdir(), 'kubestep record '))
  mkdirSync(join(root, 'a'))
  assert.deepEqual(missingFolders(join(root, 'a/b/c')), [
    { kind: 'empty', path: join(root, 'a/b') },
    { kind: 'empty', path: join(root, 'a/b/c') },
  ])
  assert.deepEqual(missingFolders(join(root, 'a')), [])
  rmSync(root, { recursive: true })
})

const PKI = '/etc/kubernetes/pki'

for (const [what, change, path, covered] of [
  ['a file in a folder of ours', { kind: 'tree', path: PKI }, `${PKI}/etcd/ca.crt`, true],
  ['a file beside it', { kind: 'tree', path: PKI }, `${PKI}2/ca.crt`, false],
  ['a new name in a folder', { kind: 'contents', path: PKI, before: ['ca.crt'] }, `${PKI}/sa.key`, true],
  ['a name that was there', { kind: 'contents', path: PKI, before: ['ca.crt'] }, `${PKI}/ca.crt`, false],
  ['a name of others', { kind: 'contents', path: PKI, before: [], only: '^cni-' }, `${PKI}/ca.crt`, false],
  ['a folder that goes when it is empty', { kind: 'empty', path: PKI }, `${PKI}/ca.crt`, false],
] as const satisfies readonly (readonly [string, Change, string, boolean])[]) {
  test(`covers() says ${covered} of ${what}`, () => {
    assert.equal(covers(change, path), covered)
  })
}
