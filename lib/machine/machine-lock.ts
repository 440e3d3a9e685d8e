/** One kubestep at a time on a machine. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { KubestepError } from '../base/errors.ts'
import { explain } from './files.ts'
import { startTime } from './host/start-time.ts'

const TRIES = 5

/**
 * Takes the lock; gives the function that gives it back, and the lock's folder with it when nothing else is in it.
 * The lock of a process that is gone counts for nothing. Throws a KubestepError that names the process which holds it.
 */
export function takeLock(path: string, what: string): () => void {
  const own = `${process.pid} ${startTime(process.pid) ?? ''} ${what}\n`
  const aside = `${path}.${process.pid}`
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      // Written aside and linked: a lock is there with its content, or not at all.
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(aside, own)
      linkSync(aside, path)
      return () => giveBack(path)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // The folder may go at any moment, with the lock of another one that ends.
      if (code !== 'EEXIST' && code !== 'ENOENT') {
        throw new KubestepError(`${what}: cannot lock "${path}": ${explain(error)}`, { cause: error })
      }
      const holder = readHolder(path)
      if (holder !== undefined && isAlive(holder)) {
        throw new KubestepError(
          `${what}: cannot start: process ${holder.pid} (${holder.what}) is at work on this machine; wait for it to end`,
        )
      }
      if (holder !== undefined) removeStale(path, aside, holder)
    } finally {
      rmSync(aside, { force: true })
    }
  }
  throw new KubestepError(`${what}: cannot lock "${path}": others take it at the same time; try again`)
}

interface Holder {
  readonly pid: number
  readonly started: string
  readonly what: string
  readonly text: string
}

function readHolder(path: string): Holder | undefined {
  try {
    const text = readFileSync(path, 'utf8')
    const [pid = '', started = '', what = ''] = text.trim().split(' ')
    return { pid: Number(pid), started, what, text }
  } catch {
    return undefined
  }
}

function isAlive({ pid, started }: Holder): boolean {
  return started !== '' && startTime(pid) === started
}

// Moved away before it goes: what another process put there meanwhile is put back.
function removeStale(path: string, aside: string, { text }: Holder): void {
  try {
    renameSync(path, aside)
    if (readHolder(aside)?.text !== text) linkSync(aside, path)
  } catch {
    // Another process was quicker: look again.
  }
}

function giveBack(path: string): void {
  rmSync(path, { force: true })
  try {
    rmdirSync(dirname(path))
  } catch {
    // Others have things in it.
  }
}
