/** Folders and files of this machine that a node has elsewhere, too; its own node is the machine, where they are bound. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { KubestepError } from '../../base/errors.ts'
import type { FolderSpec, NodeSpec } from '../../kubeadm/node-list/node-spec.ts'
import { $ } from '../../machine/command.ts'
import { parseMounts } from '../../machine/host/mount-table.ts'
import { readMountinfo } from '../../machine/host/mounts.ts'
import type { Change, Journal } from '../../machine/journal.ts'
import { isFolder, makeMountPoint } from '../../machine/local-node/mount-point.ts'
import { fileChange, missingFolders } from '../run/record-changes.ts'

/** Throws a KubestepError that names all that cannot be given. */
export function refuseFolders([first, ...others]: readonly NodeSpec[]): void {
  const moved = (nodes: readonly (NodeSpec | undefined)[]): readonly FolderSpec[] =>
    nodes.flatMap(node => (node?.folders ?? []).filter(({ from, to }) => from !== to))
  const missing = moved([first, ...others]).filter(({ from }) => !existsSync(from))
  const taken = moved([first]).filter(({ to }) => isTaken(to))
  const faults = [
    ...missing.map(
      ({ from }) =>
        `node: cannot give a node "${from}": there is no such file or folder on this machine; make it first`,
    ),
    ...taken.map(
      ({ from, to }) =>
        `node: cannot have "${from}" at "${to}": something is there on this machine, which is the first node; take it away, or choose another place`,
    ),
  ]
  if (faults.length > 0) throw new KubestepError([...new Set(faults)].join('\n'))
}

/** What is bound there already is of a run before. */
function isTaken(path: string): boolean {
  if (!existsSync(path) || parseMounts(readMountinfo()).some(({ point }) => point === path)) return false
  return !isFolder(path) || readdirSync(path).length > 0
}

/** What is made on this machine, so that something can be bound there. */
export function mountPointChanges({ from, to }: Pick<FolderSpec, 'from' | 'to'>): Change[] {
  if (existsSync(to)) return []
  return existsSync(from) && !statSync(from).isDirectory()
    ? [...missingFolders(dirname(to)), fileChange(to)]
    : missingFolders(to)
}

/** Binds those of the machine's own node; in the journal before. It is undone when the machine boots. Throws a KubestepError. */
export async function bindFolders(folders: readonly FolderSpec[], journal: Journal): Promise<void> {
  for (const folder of folders.filter(({ from, to }) => from !== to)) {
    const { from, to, readOnly } = folder
    journal.record(...mountPointChanges(folder), { kind: 'mount', path: to })
    makeMountPoint(from, to)
    const what = `node: cannot have "${from}" at "${to}"`
    await $({ what })`mount --rbind ${from} ${to}`
    if (readOnly) await $({ what })`mount -o remount,bind,ro ${to}`
  }
}
