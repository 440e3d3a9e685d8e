import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { folderFault, makeOwnFolder } from '../../lib/action/owned-files.ts'
import { loginFolder } from '../../lib/action/run-as-root.ts'

const base = mkdtempSync(join(tmpdir(), 'kubestep own '))
after(() => rmSync(base, { recursive: true }))

/** A folder with a change to it. */
const folder =
  (change: (path: string) => void) =>
  (path: string): void => {
    mkdirSync(path)
    change(path)
  }

const ROWS: readonly (readonly [what: string, make: (path: string) => void, fault: RegExp, onlyRoot?: true])[] = [
  ['of somebody else', folder(path => chownSync(path, 65534, 65534)), /belongs to user 65534/, true],
  ['where everybody may write', folder(path => chmodSync(path, 0o777)), /others may write into it/],
  ['where everybody makes files', folder(path => chmodSync(path, 0o1777)), /others may write into it/],
  ['that is a link', path => symlinkSync(base, path), /it is not a folder/],
  ['that is a file', path => writeFileSync(path, ''), /it is not a folder/],
]

for (const [index, [what, make, fault, onlyRoot]] of ROWS.entries()) {
  const skip = onlyRoot && process.getuid?.() !== 0 ? 'only root can make files of somebody else' : false
  test(`a folder ${what} is not taken for the files of a job`, { skip }, () => {
    const path = join(base, String(index))
    make(path)
    assert.match(folderFault(path) ?? '', fault)
    assert.match(folderFault(path) ?? '', /^action: cannot use ".*": .*; remove it, or set RUNNER_TEMP/)
    assert.throws(() => makeOwnFolder(path), fault)
  })
}

test('makeOwnFolder() makes one that nobody else may write, whatever the umask, and takes it again', () => {
  const path = join(base, 'deep/kubestep')
  const umask = process.umask(0)
  try {
    makeOwnFolder(path)
    makeOwnFolder(path)
  } finally {
    process.umask(umask)
  }
  assert.equal(statSync(path).mode & 0o777, 0o755)
  assert.equal(folderFault(path), undefined)
})

test('loginFolder() is below a HOME alone', () => {
  assert.equal(loginFolder('/home/me'), '/home/me/.docker')
  for (const home of [undefined, '', '.', 'home']) assert.equal(loginFolder(home), undefined)
})
