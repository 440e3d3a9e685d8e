/** Unpacks an archive of programs, such as the CNI plugins' release, and tells later whether they are still as they were. */
import { createHash } from 'node:crypto'
import { createReadStream, lstatSync, mkdirSync, renameSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { KubestepError, reasonOf } from '../../base/errors.ts'
import { streamSource } from '../fetch/byte-source.ts'
import { listNames, removeFile, temporaryFor, writeAt, writing } from '../fetch/cache-store.ts'
import { checksumOf } from '../fetch/checksum.ts'
import { checkSpace } from '../fetch/space.ts'
import { readTar, type TarEntry } from '../fetch/tar.ts'

/** What comes out of an archive at most: a few kilobytes can be made to unpack without end. */
const MOST_BYTES = 1024 ** 3

/**
 * Unpacks the files at the top of a .tgz into `folder`, executable. Folders, links and files deeper down are left out.
 * The folder appears whole or not at all, in place of an earlier one. Throws a KubestepError.
 */
export async function unpack(archive: string, folder: string, mostBytes: number = MOST_BYTES): Promise<void> {
  const temporary = temporaryFor(folder)
  try {
    await writing(folder, () => {
      removeFile(temporary)
      mkdirSync(temporary, { recursive: true, mode: 0o755 })
    })
    let files = 0
    for await (const { name, size, content } of programsIn(archive, mostBytes)) {
      const path = join(temporary, name)
      checkSpace(path, size)
      const file = await writing(path, () => open(path, 'wx', 0o755))
      try {
        let written = 0
        for await (const chunk of content()) {
          await writeAt(file, path, chunk, written)
          written += chunk.length
        }
      } finally {
        await file.close()
      }
      files++
    }
    if (files === 0) throw new KubestepError(`archive: cannot use "${archive}": there is no file at its top`)
    await writing(folder, () => {
      removeFile(folder)
      renameSync(temporary, folder)
    })
  } finally {
    removeFile(temporary)
  }
}

/** Whether a folder holds exactly what unpack() makes of the archive, byte for byte. */
export async function isUnpacked(archive: string, folder: string): Promise<boolean> {
  const names = listNames(folder)
  // Most often there is nothing yet: no reason to read a whole archive.
  if (names.length === 0) return false
  const seen: string[] = []
  for await (const { name, content } of programsIn(archive, MOST_BYTES)) {
    const hash = createHash('sha256')
    for await (const chunk of content()) hash.update(chunk)
    const isProgram = lstatSync(join(folder, name), { throwIfNoEntry: false })?.isFile() === true
    if (!isProgram || (await checksumOf(join(folder, name))) !== hash.digest('hex')) return false
    seen.push(name)
  }
  return names.join('/') === seen.sort().join('/')
}

/** The files at the top of a .tgz. Throws a KubestepError. */
async function* programsIn(archive: string, mostBytes: number): AsyncGenerator<TarEntry> {
  const unzipped = createGunzip()
  // A fault of the file or of its compression ends the reading below.
  const feeding = pipeline(createReadStream(archive), unzipped).catch((error: Error) => unzipped.destroy(error))
  try {
    for await (const entry of readTar(streamSource(upTo(unzipped, mostBytes, archive)), archive)) {
      const { name, kind } = entry
      if (kind === 'file' && !name.includes('/') && name !== '' && name !== '..') yield entry
    }
  } finally {
    unzipped.destroy()
    await feeding
  }
}

/** What comes out of a stream, as far as that. Throws a KubestepError that names the archive, whatever goes wrong. */
async function* upTo(stream: AsyncIterable<Uint8Array>, most: number, archive: string): AsyncGenerator<Uint8Array> {
  const cannot = (reason: string, cause?: unknown): KubestepError =>
    new KubestepError(`archive: cannot unpack "${archive}": ${reason}`, { cause })
  let bytes = 0
  try {
    for await (const chunk of stream) {
      bytes += chunk.length
      if (bytes > most) throw cannot(`more than ${most} bytes come out of it; use another one`)
      yield chunk
    }
  } catch (error) {
    throw error instanceof KubestepError ? error : cannot(`${reasonOf(error)}; fetch it again`, error)
  }
}
