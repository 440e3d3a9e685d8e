/** An archive that would fill the disk when it is unpacked ends before. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { provideSources } from '../../lib/supply/load/image-sources.ts'

const MIB = 1024 * 1024

/** A file system of 48 MB of its own, or why there is none. */
function smallDisk(): { readonly folder?: string; readonly why: string } {
  const folder = mkdtempSync(join(tmpdir(), 'kubestep small '))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', folder])
  return status === 0 ? { folder, why: '' } : { why: 'no file system may be mounted here' }
}

const { folder, why } = smallDisk()

for (const kind of ['gzip', 'zstd'] as const) {
  const missing = kind === 'zstd' && spawnSync('zstd', ['--version']).status !== 0 && 'zstd is not here'
  test(`a bomb of ${kind} does not fill the disk`, { skip: folder === undefined ? why : missing }, async () => {
    const archive = join(mkdtempSync(join(tmpdir(), 'kubestep bomb ')), `a.tar.${kind === 'gzip' ? 'gz' : 'zst'}`)
    const zeros = Buffer.alloc(200 * MIB)
    if (kind === 'gzip') writeFileSync(archive, gzipSync(zeros))
    else execFileSync('zstd', ['-q', '-o', archive], { input: zeros })
    const wanted = { archives: [archive], images: [] }
    await assert.rejects(provideSources(wanted, folder ?? ''), /load: cannot unpack /)
    const { bavail, bsize } = statfsSync(folder ?? '')
    assert.ok(bavail * bsize >= 15 * MIB, `${bavail * bsize} bytes are free`)
    rmSync(join(archive, '..'), { recursive: true })
    rmSync(join(folder ?? '', '0.tar'), { force: true })
  })
}

test('and the small disk goes', { skip: folder === undefined ? why : false }, () => {
  execFileSync('umount', [folder ?? ''])
  rmdirSync(folder ?? '')
  assert.equal(existsSync(folder ?? ''), false)
})
