#!/usr/bin/env -S npx zx
/** Takes away what init made: exactly what its journal holds, newest first, and nothing else. */
import { KubestepError } from '../lib/errors.ts'
import { openJournal } from '../lib/journal.ts'
import { LAYOUT } from '../lib/layout.ts'
import { takeLock } from '../lib/lock.ts'
import { describe } from '../lib/reset/describe.ts'
import { undo } from '../lib/reset/undo.ts'
import { type Script, script } from '../lib/script.ts'
import { serviceManager } from '../lib/service/manager.ts'

export const reset: Script = script(
  import.meta,
  {
    name: 'reset',
    about: 'Take the cluster away: everything that init changed on this machine is as it was before.',
    options: ['dry-run'],
    examples: ['reset.mts', 'reset.mts --dry-run'],
  },
  async ({ flags, output }) => {
    const journal = openJournal(LAYOUT.journal)
    const changes = [...journal.changes()].reverse()
    if (changes.length === 0) {
      output.say('[reset] Nothing to do: no record of a cluster of kubestep on this machine')
      return
    }
    if (flags['dry-run']) {
      for (const change of changes) output.say(`[reset] Would ${describe(change)}`)
      return
    }
    const release = takeLock(LAYOUT.lock, 'reset')
    const context = { services: serviceManager() }
    const failures: string[] = []
    try {
      for (const change of changes) {
        // The journal lies in this folder: it goes last, and only when nothing is left to undo.
        if (change.kind === 'tree' && change.path === LAYOUT.state && failures.length > 0) continue
        output.detail(`[reset] ${describe(change)}`)
        const failure = await undo(change, context)
        if (failure !== undefined) failures.push(`reset: cannot ${describe(change)}: ${failure}`)
      }
      if (failures.length > 0) throw new KubestepError(failures.join('\n'))
      journal.clear()
    } finally {
      release()
    }
    output.say(`[reset] Undid ${changes.length} changes; the machine is as it was before init`)
  },
)
