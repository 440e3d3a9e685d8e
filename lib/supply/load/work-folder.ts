/** Where a load unpacks archives: gone when it ends, and when it was killed, with the cluster or the next load. */
import { lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LAYOUT } from '../../base/paths.ts'
import { startTime } from '../../machine/host/start-time.ts'

const PREFIX = 'kubestep-load-'

/** Makes one; in the cluster's own folder where there is one, whose disk is not the machine's memory. */
export function makeWorkFolder(parent: string = defaultParent()): string {
  for (const name of readdirSync(parent)) if (isLeft(parent, name)) remove(join(parent, name))
  return mkdtempSync(join(parent, `${PREFIX}${process.pid}-${startTime(process.pid) ?? ''}-`))
}

export function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

function defaultParent(): string {
  const isRoot = process.getuid?.() === 0
  return isRoot && lstatSync(LAYOUT.journal, { throwIfNoEntry: false }) !== undefined ? LAYOUT.state : tmpdir()
}

/** Whether it is of a load of this user's that is not there any more. */
function isLeft(parent: string, name: string): boolean {
  const [, pid, started] = new RegExp(`^${PREFIX}(\\d+)-(\\d+)-`).exec(name) ?? []
  const stats = pid === undefined ? undefined : lstatSync(join(parent, name), { throwIfNoEntry: false })
  if (stats === undefined || !stats.isDirectory() || stats.uid !== process.getuid?.()) return false
  return startTime(Number(pid)) !== started
}
