import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { keepFile } from '../../lib/phases/run/kept-program.ts'

const SOMEBODY = 65534
const isRoot = process.getuid?.() === 0
const base = mkdtempSync(join(tmpdir(), 'kubestep kept '))
chmodSync(base, 0o755)
after(() => rmSync(base, { recursive: true }))

const ROWS: readonly (readonly [what: string, change: (file: string) => void, linked: boolean])[] = [
  ['links what is root’s alone', () => {}, true],
  ['copies a file of somebody else', file => chownSync(file, SOMEBODY, 0), false],
  ['copies a file that a group may write', file => chmodSync(file, 0o775), false],
  ['copies out of a folder of somebody else', file => chownSync(dirname(file), SOMEBODY, 0), false],
  ['copies out of a folder that everybody may write', file => chmodSync(dirname(file), 0o777), false],
  ['copies and makes it a program', file => chmodSync(file, 0o644), false],
  [
    'follows a link of root',
    file => {
      const real = join(dirname(dirname(file)), 'real')
      writeFileSync(real, 'program', { mode: 0o755 })
      rmSync(file)
      symlinkSync(real, file)
    },
    true,
  ],
]

for (const [what, change, linked] of ROWS) {
  test(`keepFile() ${what}`, { skip: isRoot ? false : 'only root can make files of two users' }, () => {
    const folder = mkdtempSync(join(base, 'row-'))
    chmodSync(folder, 0o755)
    const file = join(folder, 'from/kubelet')
    mkdirSync(dirname(file))
    writeFileSync(file, 'program', { mode: 0o755 })
    change(file)
    const kept = keepFile(join(folder, 'to/kubelet'), file)
    assert.equal(statSync(kept).ino === statSync(file).ino, linked)
    assert.equal(statSync(kept).mode & 0o777, 0o755)
    assert.equal(statSync(kept).uid, 0)
    // What its owner does afterwards changes nothing.
    if (!linked) appendFileSync(file, ' and more')
    assert.equal(readFileSync(kept, 'utf8'), 'program')
    // Again, over itself.
    keepFile(join(folder, 'to/kubelet'), kept)
    assert.equal(readFileSync(kept, 'utf8'), 'program')
  })
}
