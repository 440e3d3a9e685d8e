/** Layers unpacked by hand: as tar does it, or not at all. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { tarEnd, tarHeader, tarPadding } from '../../lib/supply/fetch/tar.ts'
import { unpackLayer } from '../../lib/supply/load/unpack-layer.ts'
import { sha256, tarOf } from '../archives.ts'

const base = mkdtempSync(join(tmpdir(), 'kubestep layer '))
after(() => rmSync(base, { recursive: true, force: true }))

/** Unpacks; gives the folder. */
async function unpacked(stored: Uint8Array, layer: Uint8Array = stored): Promise<string> {
  const folder = mkdtempSync(join(base, 'o'))
  const path = `${folder}.layer`
  writeFileSync(path, stored)
  await unpackLayer({ path, digest: `sha256:${sha256(stored)}`, diffId: `sha256:${sha256(layer)}` }, folder)
  return folder
}

/** Everything that a layer says of what is in it; times in units of so many milliseconds, since formats differ. */
function treeOf(folder: string, unit: number): unknown[] {
  return (readdirSync(folder, { recursive: true }) as string[]).sort().map(name => {
    const path = join(folder, name)
    const stats = lstatSync(path)
    const { mode, uid, gid, mtimeMs, nlink } = stats
    const content = stats.isSymbolicLink() ? readlinkSync(path) : stats.isFile() ? sha256(readFileSync(path)) : ''
    return [name, mode, uid, gid, Math.floor(Math.round(mtimeMs) / unit), stats.isFile() && nlink, content]
  })
}

const from = join(base, 'from')
const deep = `${'deep/'.repeat(40)}${'n'.repeat(90)}`
mkdirSync(join(from, deep, '..'), { recursive: true })
mkdirSync(join(from, 'tmp'))
const files: readonly (readonly [name: string, mode: number, content: string | Uint8Array])[] = [
  ['tool', 0o4755, Buffer.alloc(3_000_000, 'tool')],
  ['empty', 0o600, ''],
  [deep, 0o644, 'deep down'],
]
for (const [name, mode, content] of files) {
  writeFileSync(join(from, name), content)
  chmodSync(join(from, name), mode)
  utimesSync(join(from, name), 1_600_000_000, 1_600_000_000)
}
linkSync(join(from, 'tool'), join(from, 'tmp/same tool'))
symlinkSync('/etc/passwd', join(from, 'tmp/absolute'))
symlinkSync(`../${deep}`, join(from, 'tmp/long'))
utimesSync(join(from, 'tmp'), 0, 0)
chmodSync(join(from, 'tmp'), 0o1777)

for (const format of ['gnu', 'pax', 'oldgnu']) {
  test(`unpackLayer() makes what tar packed as ${format}, plain and compressed`, async () => {
    const path = join(base, `${format}.tar`)
    execFileSync('tar', ['-c', `--format=${format}`, '-f', path, '-C', from, '.'])
    const layer = readFileSync(path)
    const unit = format === 'pax' ? 1 : 1000
    for (const stored of [
      layer,
      gzipSync(layer),
      Buffer.concat([gzipSync(layer.subarray(0, 9999)), gzipSync(layer.subarray(9999))]),
    ]) {
      assert.deepEqual(treeOf(await unpacked(stored, layer), unit), treeOf(from, unit))
    }
  })
}

/** An entry by hand. */
function entry(name: string, type: string, linksTo = '', content = ''): Uint8Array {
  const block = Buffer.from(tarHeader(name, content.length))
  block.write(type, 156)
  block.write(linksTo, 157)
  block.write('        ', 148)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return Buffer.concat([block, Buffer.from(content), tarPadding(content.length)])
}

const layerOf = (...entries: readonly Uint8Array[]): Buffer => Buffer.concat([...entries, tarEnd()])
const record = (key: string, value: string): string => {
  const rest = ` ${key}=${value}\n`
  const length = rest.length + String(rest.length + 2).length
  return `${length}${rest}`
}
const folder = entry('a/', '5')
const whole = tarOf({ file: 'content' })

test('the layers by hand are layers', async () => {
  const made = await unpacked(layerOf(folder, entry('a/b', '0', '', 'x'), entry('a/c', '1', 'a/b'), entry('a/', '5')))
  assert.deepEqual(readdirSync(join(made, 'a')), ['b', 'c'])
  const pax = layerOf(entry('x', 'x', '', record('mtime', '1.5')), entry('f', '0', '', 'x'))
  assert.equal(lstatSync(join(await unpacked(pax), 'f')).mtimeMs, 1500)
})

/** Why a layer is not unpacked here. */
const [MORE, OUT, THERE] = [/takes more than writing a file/, /no name of a file in a layer/, /EEXIST|File exists/]

const REFUSED: readonly (readonly [what: string, reason: RegExp, stored: Uint8Array, layer?: Uint8Array])[] = [
  ['a removed file', MORE, tarOf({ '.wh.gone': '' })],
  ['a folder that hides what is below', MORE, layerOf(folder, entry('a/.wh..wh..opq', '0'))],
  ['a device', MORE, layerOf(entry('null', '3'))],
  ['a pipe', MORE, layerOf(entry('pipe', '6'))],
  ['attributes', MORE, layerOf(entry('x', 'x', '', record('SCHILY.xattr.security.capability', 'v')), entry('f', '0'))],
  ['a file with holes', MORE, layerOf(entry('f', 'S'))],
  ['a file in a folder that it does not have', MORE, tarOf({ 'a/b': '' })],
  ['a name twice', THERE, layerOf(entry('a', '0', '', '1'), entry('a', '0', '', '2'))],
  ['a folder in the place of a file', THERE, layerOf(entry('a', '0'), folder)],
  ['a way out', OUT, layerOf(entry('../evil', '0'))],
  ['a way out by a folder', OUT, layerOf(folder, entry('a/../../evil', '0'))],
  ['an absolute name', OUT, layerOf(entry('/evil', '0'))],
  ['a way through a link', MORE, layerOf(entry('a', '2', base), entry('a/evil', '0'))],
  ['a link in the place of a folder', THERE, layerOf(folder, entry('a', '2', base), entry('a/evil', '0'))],
  ['a hard link out', OUT, layerOf(entry('f', '1', '../../../etc/passwd'))],
  ['a hard link to a file of the machine', OUT, layerOf(entry('f', '1', '/etc/passwd'))],
  ['a hard link through a link', MORE, layerOf(entry('l', '2', '/etc/passwd'), entry('f', '1', 'l'))],
  ['a name that is no text', OUT, layerOf(entry('\ufffd', '0'))],
  ['nothing that is a tar', /not a tar archive/, Buffer.alloc(2000, 'x')],
  ['another one compressed', /should be sha256:/, gzipSync(whole), tarOf({ file: 'contenT' })],
  ['another one', /should be sha256:/, whole, tarOf({ file: 'contenT' })],
  ['another compression', /compressed with zstd/, Buffer.from('28b52ffd', 'hex')],
  ['one that is cut short', /unexpected end of file/, gzipSync(whole).subarray(0, -10), whole],
  ['something behind its end', /should be sha256:/, gzipSync(Buffer.concat([whole, Buffer.from('more')])), whole],
]
for (const [what, reason, stored, layer] of REFUSED) {
  test(`unpackLayer() leaves a layer to containerd: ${what}`, async () => {
    await assert.rejects(unpacked(stored, layer), reason)
    assert.equal(existsSync(join(base, 'evil')), false)
  })
}
