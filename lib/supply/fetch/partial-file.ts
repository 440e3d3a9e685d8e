/** A file that is not complete yet, and the checksum of what is there. */
import { createHash, type Hash } from 'node:crypto'
import { constants, lstatSync, truncateSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { removeFile, sizeOf, writeAt, writing } from './cache-store.ts'
import { hashFile } from './checksum.ts'

export interface Part {
  readonly path: string
  readonly bytes: () => number
  /** SHA-256 of the bytes so far. */
  readonly checksum: () => string
  /** Appends. Throws a KubestepError when the disk does not take it. */
  readonly write: (chunk: Uint8Array) => Promise<void>
  /** Back to nothing. */
  readonly reset: () => void
  /** Lets go of the file; it stays for another run to go on with, unless it is empty or the disk failed. */
  readonly close: () => Promise<void>
}

/** Opens an unfinished file, or begins one. Throws a KubestepError. */
export async function openPart(path: string): Promise<Part> {
  // What is no plain file, a link above all, is not written through.
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) removeFile(path)
  const begun = sizeOf(path) > 0 ? await hashFile(path) : undefined
  let hash: Hash = begun ?? createHash('sha256')
  let bytes = begun === undefined ? 0 : sizeOf(path)
  let failed = false
  const { O_CREAT, O_NOFOLLOW, O_RDWR, O_TRUNC } = constants
  const flags = O_RDWR | O_CREAT | O_NOFOLLOW | (begun === undefined ? O_TRUNC : 0)
  const file = await writing(path, () => open(path, flags, 0o600))
  return {
    path,
    bytes: () => bytes,
    checksum: () => hash.copy().digest('hex'),
    write: async chunk => {
      try {
        await writeAt(file, path, chunk, bytes)
      } catch (error) {
        failed = true
        throw error
      }
      bytes += chunk.length
      hash.update(chunk)
    },
    reset: () => {
      truncateSync(path)
      bytes = 0
      hash = createHash('sha256')
    },
    close: async () => {
      await file.close()
      if (failed || bytes === 0) removeFile(path)
    },
  }
}
