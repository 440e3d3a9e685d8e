/** What a phase alone writes down before it changes a live host, so that reset undoes it. */
import { statSync } from 'node:fs'
import { readFile } from '../files.ts'
import { type Change, openJournal } from '../journal.ts'
import { LAYOUT } from '../layout.ts'

/** Records changes that are not yet covered by what an init or another phase has recorded. */
export function record(changes: readonly Change[]): void {
  openJournal(LAYOUT.journal).record(...changes)
}

/** Records that a file is about to be written, unless it lies where reset clears away everything anyway. */
export function recordFile(path: string): void {
  const journal = openJournal(LAYOUT.journal)
  if (journal.changes().some(change => covers(change, path))) return
  const before = readFile('/', path)
  journal.record({
    kind: 'file',
    path,
    before: before === undefined ? null : Buffer.from(before).toString('base64'),
    mode: before === undefined ? 0o600 : statSync(path).mode & 0o7777,
  })
}

/** Whether undoing a change takes a file away too. */
export function covers(change: Change, path: string): boolean {
  if (change.kind === 'tree') return path.startsWith(`${change.path}/`)
  if (change.kind !== 'contents') return false
  const name = path.slice(change.path.length + 1).split('/')[0] ?? ''
  const isOurs = change.only === undefined || new RegExp(change.only).test(name)
  return path.startsWith(`${change.path}/`) && isOurs && !change.before.includes(name)
}
