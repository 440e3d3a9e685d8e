/** Undoing a whole journal, newest change first. */
import { dirname } from 'node:path'
import { LAYOUT } from '../../base/paths.ts'
import { removeFiles } from '../../machine/files.ts'
import type { Change, Journal } from '../../machine/journal.ts'
import { serviceManager } from '../../machine/service/manager.ts'
import { describe } from './describe-change.ts'
import { type UndoContext, undo } from './undo.ts'
import type { Left } from './what-stays.ts'

export interface Say {
  /** Told of each change before it is undone. */
  readonly detail: (line: string) => void
  /** Told of what stays on purpose. */
  readonly note: (line: string) => void
}

/**
 * Undoes changes, all that can be undone, and forgets those. What is left is given back, and stays in the journal with
 * the folder that it lies in, so that it can be tried again. The oldest `kept` stay as they are.
 */
export async function undoAll(
  journal: Journal,
  say: Say,
  kept = 0,
  context: UndoContext = { services: serviceManager() },
): Promise<readonly Left[]> {
  const changes = journal.changes()
  const [older, ours] = [changes.slice(0, kept), changes.slice(kept)]
  const left: Left[] = []
  // From here on it is not a cluster any more, even if this is not the try that gets to the end.
  if (ours.some(isState)) removeFiles('/', [LAYOUT.ready])
  for (const change of undoOrder(ours)) {
    if (left.some(other => needs(other.change, change))) {
      left.push({ change, stays: [] })
      continue
    }
    say.detail(`[reset] ${describe(change)}`)
    // While there is something to remember, the folder with the journal stays.
    const isNeeded = kept > 0 || left.length > 0
    const now: Change =
      isState(change) && change.kind === 'tree' && isNeeded
        ? { kind: 'contents', path: LAYOUT.state, before: [] }
        : change
    const { stays = [], note } = await undo(now, context)
    if (stays.length > 0) left.push({ change, stays })
    if (note !== undefined) say.note(`[reset] ${note}`)
  }
  const isLeft = (change: Change): boolean =>
    change.kind === 'init' || isState(change) || left.some(other => other.change === change)
  journal.keep([...older, ...(left.length === 0 ? [] : ours.filter(isLeft))])
  return left
}

// What runs ends first, whenever it was started: Pods need their network's files to the end. The journal itself lies in
// the state folder: that goes last, and only when nothing is left to undo.
function undoOrder(changes: readonly Change[]): Change[] {
  const newestFirst = [...changes].reverse()
  return [
    ...newestFirst.filter(runs),
    ...newestFirst.filter(change => !runs(change) && !isState(change)),
    ...newestFirst.filter(isState),
  ]
}

// A runtime whose Pods are still to go needs the configuration of their network, and will empty folders of theirs.
function needs(runtime: Change, { kind, ...change }: Change): boolean {
  if (runtime.kind !== 'runtime' || runtime.network === undefined || kind === 'runtime') return false
  if (kind === 'empty') return true
  return 'path' in change && (change.path === runtime.network || dirname(change.path) === runtime.network)
}

function runs({ kind }: Change): boolean {
  return kind === 'service' || kind === 'runtime' || kind === 'packages' || kind === 'nodes'
}

function isState(change: Change): boolean {
  return 'path' in change && change.path === LAYOUT.state
}
