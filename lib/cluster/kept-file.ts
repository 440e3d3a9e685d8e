/** A program at the place where it stays as long as the cluster does: where it came from may go, or change. */
import {
  chmodSync,
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { isInCustody } from '../custody.ts'
import { KubestepError } from '../errors.ts'
import { explain } from '../files.ts'

/** Puts a program there, whole or not at all; gives the path. Throws a KubestepError. */
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
    throw new KubestepError(`init: cannot copy "${source}" to "${path}": ${explain(error)}`, { cause: error })
  }
  return path
}

// A link costs nothing where a copy moves a hundred megabytes; it lives on when the first name goes. But whoever could
// write the file could then change what root runs, long afterwards: only a file that is root's alone is linked.
function linkOrCopy(source: string, path: string): void {
  if ((statSync(source).mode & 0o111) === 0o111 && isInCustody(source) && linked(realpathSync(source), path)) return
  copyFileSync(source, path, constants.COPYFILE_FICLONE)
  chmodSync(path, 0o755)
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
