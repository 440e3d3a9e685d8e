/**
 * The control groups of a node on this machine: `kubestep/NAME` in each hierarchy of cgroup v1, or in the one of v2. Its
 * first process and all that it starts live in `system` below it, its Pods in `kubepods` beside that: with v2 a group
 * that has groups below it may not have processes. systemd knows nothing of it.
 */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readTextOrEmpty } from '../files.ts'
import { processesBelow, removeAlone, removeGroup } from '../host/control-group.ts'
import { kill } from '../host/processes.ts'

const ROOT = '/sys/fs/cgroup'
const TOP = 'kubestep'

/** For the kubelet's flag --cgroup-root. */
export function cgroupRootOf(name: string): string {
  return `/${TOP}/${name}`
}

const isUnified = (): boolean => existsSync(join(ROOT, 'cgroup.controllers'))

/**
 * Roots of the hierarchies that processes are sorted into: those of the kernel's controllers, and systemd's, which would
 * end what it takes for a session's. Others are other people's.
 */
function hierarchies(): string[] {
  if (isUnified()) return [ROOT]
  const controllers = readTextOrEmpty('/proc/cgroups')
    .split('\n')
    .flatMap(line => line.split('\t')[0] ?? [])
  return readdirSync(ROOT)
    .filter(name => name === 'systemd' || name.split(',').every(part => controllers.includes(part)))
    .map(name => join(ROOT, name))
    .filter(path => existsSync(join(path, 'cgroup.procs')))
}

// A runtime makes groups there, too.
const withUnified = (): string[] => [...hierarchies(), ...(isUnified() ? [] : [join(ROOT, 'unified')])]

/** Makes them; gives the files that a process is written to. */
export function makeGroups(name: string): string[] {
  return hierarchies().map(root => {
    const group = join(root, TOP, name)
    const system = join(group, 'system')
    mkdirSync(system, { recursive: true })
    for (const parent of [root, join(root, TOP), group]) {
      if (isUnified()) passOn(parent)
      else copySets(parent, parent === group ? system : join(parent, parent === root ? TOP : name))
    }
    return join(system, 'cgroup.procs')
  })
}

// One by one: a controller that is not to be had does not keep the others.
function passOn(group: string): void {
  for (const controller of readFileSync(join(group, 'cgroup.controllers'), 'utf8').trim().split(' ')) {
    try {
      appendFileSync(join(group, 'cgroup.subtree_control'), `+${controller}`)
    } catch {
      // The kubelet says what it lacks.
    }
  }
}

// In cgroup v1 a new group has no processors and no memory, and takes no process.
function copySets(parent: string, child: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (readTextOrEmpty(join(child, file)).trim() !== '' || !existsSync(join(child, file))) continue
    writeFileSync(join(child, file), readTextOrEmpty(join(parent, file)))
  }
}

/** Stops every process of a node where it is, or lets them go on. */
export function freezeGroups(name: string, isFrozen: boolean): void {
  const group = (root: string): string => join(root, TOP, name)
  if (isUnified()) writeFileSync(join(group(ROOT), 'cgroup.freeze'), isFrozen ? '1' : '0')
  else writeFileSync(join(group(join(ROOT, 'freezer')), 'freezer.state'), isFrozen ? 'FROZEN' : 'THAWED')
}

/** Whether they are stopped so. */
export function isFrozen(name: string): boolean {
  return isUnified()
    ? readTextOrEmpty(join(ROOT, TOP, name, 'cgroup.freeze')).trim() === '1'
    : readTextOrEmpty(join(ROOT, 'freezer', TOP, name, 'freezer.state')).trim() !== 'THAWED'
}

function thaw(name: string): void {
  try {
    freezeGroups(name, false)
  } catch {
    // It has no groups.
  }
}

/** How long the last processes may take to be gone for good. */
const EMPTY_LIMIT_MS = 10_000

/** Ends everything of a node, and takes its groups away; gives those that stay. */
export async function removeGroups(name: string): Promise<string[]> {
  // What is frozen does not die.
  thaw(name)
  const tops = (): string[] =>
    withUnified()
      .map(root => join(root, TOP, name))
      .filter(path => existsSync(path))
  for (let waited = 0; waited < EMPTY_LIMIT_MS && tops().length > 0; waited += 50) {
    await kill([...new Set(tops().flatMap(processesBelow))])
    for (const group of tops()) removeGroup(group)
    if (tops().length > 0) await sleep(50)
  }
  const left = tops()
  // Others may see the same hierarchy, and have nodes there.
  if (left.length === 0) for (const root of withUnified()) removeAlone(join(root, TOP))
  return left
}
