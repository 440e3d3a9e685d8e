/** A file that comes in pieces, too large to be held: whole or not at all, like every other. */
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { KubestepError } from '../base/errors.ts'
import { explain } from './files.ts'

/**
 * Writes the pieces into a sibling that gets the name when the last of them is on disk; gives the size. Throws a
 * KubestepError where that name is taken or it cannot be written, and what `pieces` throws: then nothing is left.
 */
export async function writePieces(path: string, mode: number, pieces: AsyncIterable<Uint8Array>): Promise<number> {
  if (existsSync(path)) {
    throw new KubestepError(`files: cannot write "${path}": it exists already; choose another name, or move it away`)
  }
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  const failed = (error: unknown): KubestepError =>
    new KubestepError(`files: cannot write "${path}": ${explain(error)}; nothing was written`, { cause: error })
  let size = 0
  let file: number | undefined
  try {
    file = openSync(temporary, 'wx', mode)
    for await (const piece of pieces) {
      for (let written = 0; written < piece.length; ) written += writeSync(file, piece, written)
      size += piece.length
    }
    fsyncSync(file)
    renameSync(temporary, path)
    return size
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error instanceof KubestepError ? error : failed(error)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
