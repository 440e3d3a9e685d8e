/** Taking folders away, as far as it goes. */
import { existsSync, readdirSync, realpathSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { LAYOUT } from '../../base/paths.ts'
import { $ } from '../../machine/command.ts'
import { mountsBelow, readMountinfo } from '../../machine/host/mounts.ts'
import { type Stay, stayOf } from './what-stays.ts'

/** What an undo goes by until it is over: after a kill in between the next try does too, and nobody else begins meanwhile. */
const LAST: readonly string[] = [LAYOUT.journal, LAYOUT.lock]

/** The names in a folder that may go now. */
export function removableNames(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return []
  return readdirSync(path).filter(name => !LAST.includes(join(path, name)))
}

/** Unmounts what lies below a path, then removes it; what cannot go does not keep the rest. */
export async function removePath(path: string): Promise<readonly Stay[]> {
  const mounted = await unmountBelow(path)
  return mounted.length > 0 ? mounted : removeTree(path)
}

function removeTree(path: string): readonly Stay[] {
  try {
    rmSync(path, { recursive: true, force: true })
    return []
  } catch (error) {
    const inner = innerNames(path).flatMap(name => removeTree(join(path, name)))
    if (inner.length > 0) return inner
    return removeLast(path, error)
  }
}

// Gone by now, or empty: what was in its way may have been the last of it.
function removeLast(path: string, error: unknown): readonly Stay[] {
  try {
    rmdirSync(path)
    return []
  } catch {
    return existsSync(path) ? [stayOf(path, error)] : []
  }
}

function innerNames(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** Unmounts all that is mounted at or below a path, also what comes to light by that; gives what stays mounted. */
export async function unmountBelow(path: string): Promise<readonly Stay[]> {
  // The kernel names mounts by their real paths.
  const folder = existsSync(path) ? realpathSync(path) : path
  for (let isMoving = true; isMoving; ) {
    isMoving = false
    for (const point of mountsBelow(readMountinfo(), [folder])) isMoving = (await unmount(point)) || isMoving
  }
  return mountsBelow(readMountinfo(), [folder]).map(point => ({
    subject: point,
    reason: 'it cannot be unmounted',
    advice: 'unmount it',
  }))
}

async function unmount(point: string): Promise<boolean> {
  for (const options of [[], ['--lazy']]) {
    if ((await $({ nothrow: true })`umount ${options} ${point}`).exitCode === 0) return true
  }
  return false
}
