#!/usr/bin/env -S npx zx
/** Takes away what init made: exactly what its journal holds, newest first, and nothing else. */
import { alone } from '../lib/cluster/session.ts'
import { KubestepError } from '../lib/errors.ts'
import { openJournal } from '../lib/journal.ts'
import { LAYOUT } from '../lib/layout.ts'
import { describe } from '../lib/reset/describe.ts'
import { undoAll } from '../lib/reset/undo-all.ts'
import { type Script, script } from '../lib/script.ts'

export const reset: Script = script(
  import.meta,
  {
    name: 'reset',
    about: 'Take the cluster away: everything that init changed on this machine is as it was before.',
    options: ['dry-run'],
    examples: ['reset.mts', 'reset.mts --dry-run'],
  },
  ({ name, flags, output }) =>
    alone(name, 'run it again', async () => {
      const journal = openJournal(LAYOUT.journal)
      const changes = journal.changes()
      const count = changes.length
      if (count === 0) {
        output.say('[reset] Nothing to do: no record of a cluster of kubestep on this machine')
      } else if (flags['dry-run']) {
        for (const change of [...changes].reverse()) output.say(`[reset] Would ${describe(change)}`)
      } else {
        const failures = await undoAll(journal, output.detail)
        if (failures.length > 0) throw new KubestepError(failures.join('\n'))
        output.say(`[reset] Undid ${count} changes; the machine is as it was before init`)
      }
    }),
)
