/** Undoing a whole journal, newest change first. */
import { removeFiles } from '../files.ts'
import type { Journal } from '../journal.ts'
import { LAYOUT } from '../layout.ts'
import { serviceManager } from '../service/manager.ts'
import { describe } from './describe.ts'
import { undo } from './undo.ts'

/**
 * Undoes every change and forgets the journal; `say` is told of each. What cannot be undone is given back as lines,
 * and then the journal stays, so that it can be tried again.
 */
export async function undoAll(journal: Journal, say: (line: string) => void): Promise<string[]> {
  const context = { services: serviceManager() }
  const failures: string[] = []
  // From here on it is no cluster any more, even if this is not the try that gets to the end.
  removeFiles('/', [LAYOUT.ready])
  for (const change of [...journal.changes()].reverse()) {
    // The journal itself lies in this folder: it goes last, and only when nothing is left to undo.
    if ('path' in change && change.path === LAYOUT.state && failures.length > 0) continue
    say(`[reset] ${describe(change)}`)
    const failure = await undo(change, context)
    if (failure !== undefined) failures.push(`reset: cannot ${describe(change)}: ${failure}`)
  }
  if (failures.length === 0) journal.clear()
  return failures
}
