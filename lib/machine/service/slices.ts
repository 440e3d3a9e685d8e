/**
 * The slices that a kubelet has systemd make for its Pods: units without a file of anybody's, which stay loaded and
 * active when the Pods are gone, until somebody stops them.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { $ } from '../command.ts'
import { readTextOrEmpty } from '../files.ts'
import { type Fields, unitBlocks } from '../host/systemd-units.ts'

/** Where systemd's own hierarchy is mounted: with cgroup v1 and with v2. Source: systemd.io, CGROUP_DELEGATION. */
const HIERARCHIES: readonly string[] = ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup']

/** Where a kubelet with systemd's driver puts Pods, below its cgroupRoot. Source: kubelet cm/cgroup_manager_linux.go. */
const POD_SLICE = /(^|-)kubepods(-.+)?\.slice$/

/** Scopes of containers, as containerd and CRI-O call them. */
const POD_SCOPES: readonly string[] = ['cri-containerd-*.scope', 'crio-*.scope']

/**
 * Stops the slices of Pods in which nothing lives any more; `kept` are names of those that were there before. What
 * systemd remembers of containers in them that failed goes, too.
 */
export async function removePodSlices(
  kept: readonly string[] = [],
  hierarchies: readonly string[] = HIERARCHIES,
): Promise<void> {
  const slices = (await loadedSlices()).filter(({ Id = '' }) => !kept.includes(Id))
  const empty = slices.filter(
    ({ ControlGroup = '' }) =>
      ControlGroup === '' || !hierarchies.some(hierarchy => hasProcess(join(hierarchy, ControlGroup))),
  )
  const names = empty.map(({ Id = '' }) => Id)
  if (names.length === 0) return
  const scopes = (await unitsLike(POD_SCOPES)).filter(({ Slice = '' }) => names.includes(Slice))
  await $({ nothrow: true })`systemctl stop ${names}`
  await $({ nothrow: true })`systemctl reset-failed ${names} ${scopes.map(({ Id = '' }) => Id)}`
}

/** Names of the slices of Pods that systemd knows now; none where it is not PID 1. */
export async function presentPodSlices(): Promise<string[]> {
  if (!existsSync('/run/systemd/system')) return []
  return (await loadedSlices()).map(({ Id = '' }) => Id)
}

async function loadedSlices(): Promise<Fields[]> {
  return (await unitsLike(['*.slice'])).filter(({ Id = '' }) => POD_SLICE.test(Id))
}

async function unitsLike(patterns: readonly string[]): Promise<Fields[]> {
  const { stdout } = await $({ nothrow: true })`systemctl show --property=Id,ControlGroup,Slice ${patterns}`
  return unitBlocks(stdout)
}

// Who lives in another namespace of processes is listed, as 0.
function hasProcess(folder: string): boolean {
  if (readTextOrEmpty(join(folder, 'cgroup.procs')) !== '') return true
  return foldersIn(folder).some(name => hasProcess(join(folder, name)))
}

function foldersIn(path: string): string[] {
  if (!existsSync(path)) return []
  return readdirSync(path, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
}
