/** What a phase alone writes down before it changes a live host, so that reset undoes it. */
import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { KUBERNETES, LAYOUT } from '../../base/paths.ts'
import { readFile } from '../../machine/files.ts'
import { type Change, openJournal } from '../../machine/journal.ts'

/** Records changes that are not yet covered by what an init or another phase has recorded. */
export function record(changes: readonly Change[]): void {
  openJournal(LAYOUT.journal).record(...changes)
}

/**
 * Folders of the host that a cluster's files lie in: what a phase writes there reset takes away. Files elsewhere
 * (--cert-dir, --csr-dir) were asked for at a place of the user's own, and stay.
 */
const HOST_FOLDERS: readonly string[] = [KUBERNETES.folder, KUBERNETES.kubelet]

/**
 * Records that files are about to be written, one by one, and the folders that have to be made for them: what somebody
 * else puts beside them, a CA of the user's own for instance, is nothing that reset takes away.
 */
export function recordFiles(paths: readonly string[]): void {
  const onHost = paths.filter(path => HOST_FOLDERS.some(folder => path.startsWith(`${folder}/`)))
  if (onHost.length === 0) return
  const journal = openJournal(LAYOUT.journal)
  for (const path of onHost) {
    if (journal.changes().some(change => covers(change, path))) continue
    journal.record(...missingFolders(dirname(path)), fileChange(path))
  }
}

/** A file as it is now, before it is written. */
export function fileChange(path: string): Change {
  const before = readFile('/', path)
  return {
    kind: 'file',
    path,
    before: before === undefined ? null : Buffer.from(before).toString('base64'),
    mode: before === undefined ? 0o600 : statSync(path).mode & 0o7777,
  }
}

/** A folder and what leads to it, outermost first, as far as they are not there. */
export function missingFolders(path: string): Change[] {
  return existsSync(path) ? [] : [...missingFolders(dirname(path)), { kind: 'empty', path }]
}

/** Whether undoing a change takes a file away too. */
export function covers(change: Change, path: string): boolean {
  if (change.kind === 'tree') return path.startsWith(`${change.path}/`)
  if (change.kind !== 'contents') return false
  const name = path.slice(change.path.length + 1).split('/')[0] ?? ''
  const isOurs = change.only === undefined || new RegExp(change.only).test(name)
  return path.startsWith(`${change.path}/`) && isOurs && !change.before.includes(name)
}
