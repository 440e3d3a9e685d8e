/** Undoing a whole journal, newest change first. */
import { removeFiles } from '../files.ts'
import type { Change, Journal } from '../journal.ts'
import { LAYOUT } from '../layout.ts'
import { serviceManager } from '../service/manager.ts'
import { describe } from './describe.ts'
import { undo } from './undo.ts'

/**
 * Undoes changes and forgets them; `say` is told of each. The oldest `kept` stay as they are. What cannot be undone is
 * given back as lines, and then the journal stays, so that it can be tried again.
 */
export async function undoAll(journal: Journal, say: (line: string) => void, kept = 0): Promise<string[]> {
  const context = { services: serviceManager() }
  const failures: string[] = []
  // From here on it is no cluster any more, even if this is not the try that gets to the end.
  removeFiles('/', [LAYOUT.ready])
  for (const change of undoOrder(journal.changes().slice(kept))) {
    if (isState(change) && failures.length > 0) continue
    say(`[reset] ${describe(change)}`)
    // While there is something to remember, the folder with the journal stays.
    const now: Change = isState(change) && kept > 0 ? { kind: 'contents', path: LAYOUT.state, before: [] } : change
    const failure = await undo(now, context)
    if (failure !== undefined) failures.push(`reset: cannot ${describe(change)}: ${failure}`)
  }
  if (failures.length === 0) journal.clear(kept)
  return failures
}

// The journal itself lies in the state folder: it goes last, and only when nothing is left to undo.
function undoOrder(changes: readonly Change[]): Change[] {
  const newestFirst = [...changes].reverse()
  return [...newestFirst.filter(change => !isState(change)), ...newestFirst.filter(isState)]
}

function isState(change: Change): boolean {
  return 'path' in change && change.path === LAYOUT.state
}
