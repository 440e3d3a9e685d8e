/** The control groups that a kubelet leaves behind. */
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { commandLine } from './processes.ts'

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

/** How long the last processes of a Pod may take to be gone for good. */
const EMPTY_LIMIT_MS = 5000

/** Removes the control groups of Pods that are gone; the ones in which something lives stay. */
export async function removePodCgroups(): Promise<void> {
  for (let waited = 0; ; waited += 100) {
    for (const group of podCgroups()) removeEmpty(group)
    const ending =
      podCgroups().some(group => existsSync(group)) && podProcesses().every(pid => commandLine(pid).length === 0)
    if (!ending || waited >= EMPTY_LIMIT_MS) return
    await sleep(100)
  }
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
