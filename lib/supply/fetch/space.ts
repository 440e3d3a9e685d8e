/** Room on a disk, asked before something is put there. */
import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { KubestepError } from '../../base/errors.ts'

/** What stays free for everybody else on the disk. */
const RESERVE_BYTES = 16 * 1024 * 1024
const MB = 1_000_000

/** Throws a KubestepError when the disk of a path has no room for so many bytes more. */
export function checkSpace(path: string, bytes: number): void {
  const free = freeBytes(dirname(path))
  if (free === undefined || bytes <= 0 || bytes + RESERVE_BYTES <= free) return
  throw new KubestepError(
    `components: cannot write "${path}": no space left on the device: it needs ${megabytes(bytes)} and ${megabytes(free)} are free; free some or choose another folder`,
  )
}

/** So many bytes may be put beside a path. */
export function roomFor(path: string): number {
  return Math.max((freeBytes(dirname(path)) ?? Number.MAX_SAFE_INTEGER) - RESERVE_BYTES, 0)
}

/** What an ordinary process may still fill; undefined when the system does not tell. */
function freeBytes(folder: string): number | undefined {
  try {
    const { bavail, bsize, blocks } = statfsSync(folder)
    // Some network file systems know nothing of blocks.
    return blocks === 0 ? undefined : bavail * bsize
  } catch {
    return undefined
  }
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / MB)} MB`
}
