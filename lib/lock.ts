/** One kubestep at a time on a machine. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { KubestepError } from './errors.ts'
import { explain } from './files.ts'
import { startTime } from './service/supervisor.ts'

/**
 * Takes the lock; gives the function that gives it back. The lock of a process that is gone counts for nothing.
 * Throws a KubestepError that names the process which holds it.
 */
export function takeLock(path: string, what: string): () => void {
  const own = `${process.pid} ${startTime(process.pid) ?? ''} ${what}\n`
  mkdirSync(dirname(path), { recursive: true })
  for (let tries = 0; tries < 3; tries++) {
    try {
      writeFileSync(path, own, { flag: 'wx' })
      return () => rmSync(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new KubestepError(`${what}: cannot lock "${path}": ${explain(error)}`, { cause: error })
      }
      const holder = liveHolder(path)
      if (holder !== undefined) {
        throw new KubestepError(
          `${what}: cannot start: process ${holder.pid} (${holder.what}) is at work on this machine; wait for it to end`,
        )
      }
      rmSync(path, { force: true })
    }
  }
  throw new KubestepError(`${what}: cannot lock "${path}": others take it at the same time; try again`)
}

function liveHolder(path: string): { pid: number; what: string } | undefined {
  try {
    const [pid, started, what = ''] = readFileSync(path, 'utf8').trim().split(' ')
    return pid !== undefined && startTime(Number(pid)) === started ? { pid: Number(pid), what } : undefined
  } catch {
    return undefined
  }
}
