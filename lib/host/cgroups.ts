/** The control groups that a kubelet leaves behind. */
import { readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = '/sys/fs/cgroup'
/** With the cgroupfs driver, and with systemd's. */
const KUBEPODS: readonly string[] = ['kubepods', 'kubepods.slice', 'kubelet.slice', 'kubelet']

/** Control groups of Pods, in each hierarchy of cgroup v1 or in the one of v2. */
function podCgroups(): string[] {
  return ['', ...folders(ROOT)].flatMap(hierarchy => KUBEPODS.map(name => join(ROOT, hierarchy, name)))
}

/** Pids of everything that runs in a Pod. */
export function podProcesses(): number[] {
  return [...new Set(podCgroups().flatMap(processesOf))]
}

function processesOf(group: string): number[] {
  let own: number[] = []
  try {
    own = readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
  } catch {
    // Not there.
  }
  return [...own, ...folders(group).flatMap(child => processesOf(join(group, child)))]
}

/** Removes the control groups of Pods that are gone. */
export function removePodCgroups(): void {
  for (const group of podCgroups()) removeEmpty(group)
}

// A control group has files that cannot be removed: only rmdir, from the leaves up, works.
function removeEmpty(group: string): void {
  for (const child of folders(group)) removeEmpty(join(group, child))
  try {
    rmdirSync(group)
  } catch {
    // Not there, or a process lives in it.
  }
}

function folders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(entry => entry.name)
  } catch {
    return []
  }
}
