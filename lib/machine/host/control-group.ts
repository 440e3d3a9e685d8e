/** A control group as a folder: who lives in it, what is below it, and taking it away. */
import { readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { readTextOrEmpty } from '../files.ts'

/** Pids of those that live in the group itself. With cgroup v1 who lives in another namespace of processes is not listed. */
export function processesIn(group: string): number[] {
  return readTextOrEmpty(join(group, 'cgroup.procs')).split('\n').map(Number).filter(Boolean)
}

/** Pids of those that live in the group or below it. */
export function processesBelow(group: string): number[] {
  return [...processesIn(group), ...groupsIn(group).flatMap(processesBelow)]
}

/** Paths of the groups in it. */
export function groupsIn(group: string): string[] {
  try {
    return readdirSync(group, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(entry => join(group, entry.name))
  } catch {
    return []
  }
}

/**
 * Takes a group and all below it away, as far as nobody lives there; but for those that are `kept`. It has files that
 * cannot be removed: only rmdir, from the leaves up, works.
 */
export function removeGroup(group: string, kept: readonly string[] = []): void {
  for (const inner of groupsIn(group)) removeGroup(inner, kept)
  if (!kept.includes(group)) removeAlone(group)
}

/** Takes a group away that has none below it and where nobody lives; otherwise it stays. */
export function removeAlone(group: string): void {
  try {
    rmdirSync(group)
  } catch {
    // Not there, or a process lives in it.
  }
}
