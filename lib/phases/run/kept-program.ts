/** A program at the place where it stays as long as the cluster does: where it came from may go, or change. */
import {
  closeSync,
  fchmodSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { Reason } from '../../base/errors.ts'
import { isInCustody } from '../../machine/file-custody.ts'
import { explain } from '../../machine/files.ts'

/** Puts a program there, whole or not at all; gives the path. Throws a Reason. */
export function keepFile(path: string, source: string): string {
  const temporary = `${path}.tmp`
  try {
    mkdirSync(dirname(path), { recursive: true })
    rmSync(temporary, { force: true })
    linkOrCopy(source, temporary)
    renameSync(temporary, path)
    // Renaming one link of a file to another of the same file does nothing, and leaves both.
    rmSync(temporary, { force: true })
  } catch (error) {
    throw new Reason(`cannot copy "${source}" to "${path}": ${explain(error)}`, { cause: error })
  }
  return path
}

// A link costs nothing where a copy moves a hundred megabytes; it lives on when the first name goes. But whoever could
// write the file could then change what root runs, long afterwards: only a file that is root's alone is linked.
function linkOrCopy(source: string, path: string): void {
  if ((statSync(source).mode & 0o111) === 0o111 && isInCustody(source) && linked(realpathSync(source), path)) return
  copyAsOwn(source, path)
}

const CHUNK = 4 * 1024 * 1024

/**
 * A copy that is this user's from its first moment. Not copyFileSync(): that of Node 24 gives the copy to the owner of the
 * source, who could then write it (seen with libuv 1.52).
 */
function copyAsOwn(source: string, path: string): void {
  const from = openSync(source, 'r')
  try {
    const to = openSync(path, 'wx', 0o755)
    try {
      const chunk = Buffer.alloc(CHUNK)
      for (let read = readSync(from, chunk); read > 0; read = readSync(from, chunk)) {
        for (let written = 0; written < read; ) written += writeSync(to, chunk, written, read - written)
      }
      // The umask may have taken bits away.
      fchmodSync(to, 0o755)
    } finally {
      closeSync(to)
    }
  } finally {
    closeSync(from)
  }
}

// Not from one file system to another.
function linked(source: string, path: string): boolean {
  try {
    linkSync(source, path)
    return true
  } catch {
    return false
  }
}
