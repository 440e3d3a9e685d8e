/**
 * The control groups of Pods: which there are, whose they are, and taking ours away. Containers may share the tree with
 * their machine, and a kubelet of somebody else may have been at work: a group is ours by what its name says.
 */
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonObject } from '../../base/json.ts'
import { readTextOrEmpty } from '../files.ts'
import { groupsIn, processesBelow, removeGroup } from './control-group.ts'
import { commandLine, kill } from './processes.ts'

const ROOT = '/sys/fs/cgroup'

/** What a kubelet was going to use, as an init found it. */
export interface PodGroups {
  /** Paths in each hierarchy, e.g. `kubepods.slice`. */
  readonly roots: readonly string[]
  /** Groups at and below them that were there already. */
  readonly before: readonly string[]
  /** Slices that systemd knew already. */
  readonly slices?: readonly string[]
}

/**
 * Where a kubelet puts its Pods and, when it is told to, itself. Source: kubelet cm/cgroup_manager_linux.go,
 * cm/node_container_manager_linux.go, KubeletConfiguration cgroupRoot and kubeletCgroups (v1.18 to v1.36).
 */
export function groupRoots({ cgroupDriver, cgroupRoot, kubeletCgroups }: JsonObject): string[] {
  const parts = words(cgroupRoot)
  const own = words(kubeletCgroups).join('/')
  return [
    ...(cgroupDriver === 'systemd' ? [] : [[...parts, 'kubepods'].join('/')]),
    ...(cgroupDriver === 'cgroupfs' ? [] : [slicePath([...parts, 'kubepods'])]),
    ...(own === '' ? [] : [own]),
  ]
}

function words(path: unknown): string[] {
  return typeof path === 'string' ? path.split('/').filter(Boolean) : []
}

// A slice lies in those that its name begins with: a.slice/a-b.slice. Source: systemd.slice(5).
function slicePath(parts: readonly string[]): string {
  return parts.map((_part, index) => `${parts.slice(0, index + 1).join('-')}.slice`).join('/')
}

/** The groups that there are now at and below some roots, in each hierarchy of cgroup v1 or in the one of v2. */
export function presentGroups(roots: readonly string[]): string[] {
  return rootGroups(roots).flatMap(withInner).sort()
}

function rootGroups(roots: readonly string[]): string[] {
  return roots.flatMap(inHierarchies)
}

function inHierarchies(root: string): string[] {
  return [ROOT, ...groupsIn(ROOT)].map(hierarchy => join(hierarchy, root)).filter(path => existsSync(path))
}

function withInner(group: string): string[] {
  return [group, ...groupsIn(group).flatMap(withInner)]
}

/**
 * The id in a group's name: a Pod's, with dashes as the API has it, or a container's. Source: kubelet
 * cm/pod_container_manager_linux.go; containerd pkg/cri/util (cri-containerd-ID.scope); CRI-O (crio-ID.scope).
 */
export function idOf(group: string): string | undefined {
  const name = basename(group).replace(/\.(slice|scope)$/, '')
  const pod = /pod([0-9a-f]{32}|[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})$/.exec(name)?.[1]
  return pod?.replaceAll('_', '-') ?? /(?:^|-)([0-9a-f]{64})$/.exec(name)?.[1]
}

/** How long the last processes of a Pod may take to be gone for good. */
const EMPTY_LIMIT_MS = 5000

/**
 * Kills what lives in groups of Pods and containers with these ids and removes them; the groups above them, too, when
 * nobody else is in there. What was there before stays.
 */
export async function removePodGroups({ roots, before }: PodGroups, ids: ReadonlySet<string>): Promise<void> {
  const ours = (): string[] =>
    presentGroups(roots).filter(group => ids.has(idOf(group) ?? '') && !before.includes(group))
  await kill(living(ours()))
  for (let waited = 0; ; waited += 100) {
    for (const group of ours()) removeGroup(group, before)
    for (const root of roots.map(inHierarchies)) {
      if (!root.some(isInUse)) for (const group of root) removeGroup(group, before)
    }
    const left = ours()
    const ending = left.length > 0 && living(left).every(pid => commandLine(pid).length === 0)
    if (!ending || waited >= EMPTY_LIMIT_MS) return
    await sleep(100)
  }
}

/** Pids that live in groups or below them. */
function living(groups: readonly string[]): number[] {
  return [...new Set(groups.flatMap(processesBelow))]
}

// With cgroup v1 who lives in another namespace of processes is not listed: his groups cannot be removed, at least.
function isInUse(group: string): boolean {
  return /^populated 1$/m.test(readTextOrEmpty(join(group, 'cgroup.events'))) || living([group]).length > 0
}
