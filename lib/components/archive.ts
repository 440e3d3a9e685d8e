/** Unpacks an archive of programs, such as the CNI plugins' release, and tells later whether they are still as they were. */
import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, renameSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { KubestepError, reasonOf } from '../errors.ts'
import { streamSource } from './byte-source.ts'
import { checksumOf } from './checksum.ts'
import { listNames, readText, removeFile, temporaryFor, writeAt, writeText, writing } from './store.ts'
import { readTar } from './tar.ts'

/**
 * Unpacks the files at the top of a .tgz into `folder`, executable; their checksums go to `<folder>.sha256`.
 * Folders, links and files deeper down are left out. The folder appears whole or not at all, in place of an
 * earlier one. Throws a KubestepError.
 */
export async function unpack(archive: string, folder: string): Promise<void> {
  const temporary = temporaryFor(folder)
  try {
    await writing(folder, () => {
      removeFile(temporary)
      mkdirSync(temporary, { recursive: true, mode: 0o755 })
    })
    const sums = await unpackFiles(archive, temporary)
    if (sums.length === 0) throw new KubestepError(`archive: cannot use "${archive}": there is no file at its top`)
    await writing(folder, () => {
      removeFile(folder)
      renameSync(temporary, folder)
    })
    await writeText(`${folder}.sha256`, sums.map(([name, checksum]) => `${checksum}  ${name}\n`).join(''))
  } finally {
    removeFile(temporary)
  }
}

/** Whether a folder holds exactly what was unpacked into it. */
export async function isUnpacked(folder: string): Promise<boolean> {
  const lines = (readText(`${folder}.sha256`) ?? '').split('\n').filter(line => line !== '')
  const rows = lines.map(line => line.split('  '))
  const names = rows.map(([, name]) => name ?? '').sort()
  if (rows.length === 0 || listNames(folder).join('/') !== names.join('/')) return false
  const checks = rows.map(async ([checksum, name]) => (await checksumOf(join(folder, name ?? ''))) === checksum)
  return (await Promise.all(checks)).every(Boolean)
}

async function unpackFiles(archive: string, folder: string): Promise<(readonly [name: string, checksum: string])[]> {
  const unzipped = createGunzip()
  // A fault of the file or of its compression ends the reading below.
  const feeding = pipeline(createReadStream(archive), unzipped).catch((error: Error) => unzipped.destroy(error))
  const sums: (readonly [string, string])[] = []
  try {
    for await (const { name, kind, content } of readTar(streamSource(unzipped), archive)) {
      if (kind !== 'file' || name.includes('/') || name === '' || name === '..') continue
      const path = join(folder, name)
      const hash = createHash('sha256')
      const file = await writing(path, () => open(path, 'wx', 0o755))
      try {
        let written = 0
        for await (const chunk of content()) {
          hash.update(chunk)
          await writeAt(file, path, chunk, written)
          written += chunk.length
        }
      } finally {
        await file.close()
      }
      sums.push([name, hash.digest('hex')])
    }
  } catch (error) {
    if (error instanceof KubestepError) throw error
    throw new KubestepError(`archive: cannot unpack "${archive}": ${reasonOf(error)}; fetch it again`, { cause: error })
  } finally {
    unzipped.destroy()
    await feeding
  }
  return sums
}
