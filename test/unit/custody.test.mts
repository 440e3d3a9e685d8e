import assert from 'node:assert/strict'
import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { custodyFault, isInCustody, ROOT } from '../../lib/machine/file-custody.ts'

const SOMEBODY = 65534
const NOT_ROOT = process.getuid?.() === 0 ? false : 'only root can make files of two users'

/** What is done to `folder/bin/file`, a file of root's in folders of root's. */
type Change = (folder: string, file: string) => void

const ROWS: readonly (readonly [what: string, change: Change, fault: RegExp | undefined])[] = [
  ['a file of root', () => {}, undefined],
  ['a file of somebody else', (_, file) => chownSync(file, SOMEBODY, 0), /file belongs to user 65534$/],
  ['a file that everybody may write', (_, file) => chmodSync(file, 0o757), /^everybody may write .*file$/],
  ['a file that a group may write', (_, file) => chmodSync(file, 0o775), /^group 0 may write .*file$/],
  ['a folder of somebody else', (_, file) => chownSync(dirname(file), SOMEBODY, 0), /bin belongs to user 65534$/],
  ['a folder further up of somebody else', folder => chownSync(folder, SOMEBODY, 0), /belongs to user 65534$/],
  ['a folder that everybody may write', (_, file) => chmodSync(dirname(file), 0o777), /^everybody may write .*bin$/],
  ['a folder that a group may write', folder => chmodSync(folder, 0o775), /^group 0 may write /],
  ['a file where everybody makes files', (_, file) => chmodSync(dirname(file), 0o1777), /^everybody may write .*bin$/],
  ['a folder where everybody makes folders', folder => chmodSync(folder, 0o1777), undefined],
  [
    'a link of root to a file of root',
    (folder, file) => {
      mkdirSync(join(folder, 'real'))
      writeFileSync(join(folder, 'real/file'), '')
      rmSync(file)
      symlinkSync('../real/file', file)
    },
    undefined,
  ],
  [
    'a link to a folder of somebody else',
    (folder, file) => {
      mkdirSync(join(folder, 'theirs'))
      writeFileSync(join(folder, 'theirs/file'), '')
      chownSync(join(folder, 'theirs'), SOMEBODY, 0)
      rmSync(file)
      symlinkSync(join(folder, 'theirs/file'), file)
    },
    /theirs belongs to user 65534$/,
  ],
  [
    'a link of somebody else to a file of root',
    (_, file) => {
      rmSync(file)
      symlinkSync('/bin/sh', file)
      lchownSync(file, SOMEBODY, 0)
    },
    /file belongs to user 65534$/,
  ],
  [
    'a link where everybody makes links',
    (folder, file) => {
      const aside = join(folder, 'aside')
      mkdirSync(aside)
      chmodSync(aside, 0o1777)
      symlinkSync(dirname(file), join(aside, 'bin'))
      rmSync(file)
      symlinkSync(join(aside, 'bin/file'), file)
    },
    /^everybody may write .*aside$/,
  ],
  [
    'a link in a circle',
    (_, file) => {
      rmSync(file)
      symlinkSync('file', file)
    },
    /is a link without an end$/,
  ],
]

describe('custodyFault()', { skip: NOT_ROOT }, () => {
  const base = mkdtempSync(join(tmpdir(), 'kubestep custody '))
  after(() => rmSync(base, { recursive: true }))

  for (const [what, change, fault] of ROWS) {
    test(`${fault === undefined ? 'accepts' : 'refuses'} ${what}`, () => {
      const folder = mkdtempSync(join(base, 'row-'))
      chmodSync(folder, 0o755)
      const file = join(folder, 'bin/file')
      mkdirSync(dirname(file))
      writeFileSync(file, '', { mode: 0o755 })
      change(folder, file)
      const found = custodyFault(file)
      if (fault === undefined) assert.equal(found, undefined)
      else assert.match(found ?? 'nothing', fault)
    })
  }

  test('a user may hold his own files, in a group of his own, and nobody else his', () => {
    const folder = mkdtempSync(join(base, 'own-'))
    const file = join(folder, 'file')
    writeFileSync(file, '')
    chmodSync(file, 0o664)
    for (const path of [folder, file]) chownSync(path, SOMEBODY, SOMEBODY)
    chmodSync(base, 0o755)
    assert.equal(isInCustody(file, { uid: SOMEBODY, gid: SOMEBODY }), true)
    assert.equal(isInCustody(file, { uid: SOMEBODY, gid: 1 }), false)
    assert.equal(isInCustody(file, { uid: 1 }), false)
    assert.equal(isInCustody(file, ROOT), false)
  })

  test('what is not there is in nobody’s custody', () => {
    assert.equal(isInCustody(join(base, 'missing/file')), false)
    assert.equal(isInCustody('/'), true)
    assert.equal(isInCustody(tmpdir()), false)
  })
})
