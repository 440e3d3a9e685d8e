#!/usr/bin/env -S npx zx
import { KubestepError } from '../lib/base/errors.ts'
import { LAYOUT } from '../lib/base/paths.ts'
import type { OptionName } from '../lib/cli/options.ts'
import { type Script, script } from '../lib/cli/script.ts'
import { liveHost } from '../lib/machine/host/host-source.ts'
import { readFactsAnywhere } from '../lib/machine/host/read-facts.ts'
import { openJournal } from '../lib/machine/journal.ts'
import { preparedChanges, undoPreparation } from '../lib/phases/prepare/prepare.ts'
import { othersChanges, ownerOf } from '../lib/phases/reset/cluster-owner.ts'
import { describe } from '../lib/phases/reset/describe-change.ts'
import { leaveCluster } from '../lib/phases/reset/leave-cluster.ts'
import { readRequest, strangers } from '../lib/phases/reset/request.ts'
import { undoAll } from '../lib/phases/reset/undo-all.ts'
import { leftLines, preparationLeft } from '../lib/phases/reset/what-stays.ts'
/** Takes away what init made: exactly what its journal holds, newest first, and nothing else. */
import { alone } from '../lib/phases/run/machine-session.ts'
import { readConfig } from '../lib/phases/run/open-phase.ts'

const OPTIONS: readonly OptionName[] = [
  'dry-run',
  'config',
  'skip-phases',
  'owner',
  'lose-quorum',
  // kubeadm's, for scripts that know it: the record decides.
  'force',
  'cert-dir',
  'cri-socket',
  'cleanup-tmp-dir',
  'kubeconfig',
  'ignore-preflight-errors',
]

export const reset: Script = script(
  import.meta,
  {
    name: 'reset',
    about: 'Take the cluster away: everything that init changed on this machine is as it was before.',
    options: OPTIONS,
    examples: ['reset.mts', 'reset.mts --dry-run', 'reset.mts --config reset.yaml'],
  },
  call => {
    const { name, flags, output } = call
    const owner = ownerOf(call)
    const { dryRun, skipped, notices } = readRequest(flags, readConfig(flags), readFactsAnywhere())
    for (const notice of notices) output.warn(notice)
    return alone(name, 'run it again', async () => {
      const journal = openJournal(LAYOUT.journal)
      const host = liveHost()
      // What prepare did was there before the cluster, so it goes after it.
      const kept = owner === undefined ? 0 : othersChanges(journal.changes(), owner)
      // What prepare did is nobody's of those who come and go.
      const prepared = owner === undefined ? preparedChanges(host) : []
      const changes = [...prepared, ...journal.changes().slice(kept)]
      const count = changes.length
      const loseQuorum = flags['lose-quorum'] === true
      const leaving = { dryRun, loseQuorum, say: output.say, warn: output.warn }
      for (const line of strangers(flags, changes)) output.warn(line)
      // Also when nothing else is asked for.
      if (count > 0 && !skipped.includes('remove-etcd-member'))
        await leaveCluster(skipped.includes('cleanup-node') ? [] : changes, leaving)
      if (count === 0) {
        const whose = owner ?? 'kubestep'
        output.say(`[reset] Nothing to do: no record of a cluster of ${whose} on this machine`)
      } else if (skipped.includes('cleanup-node')) {
        output.say('[reset] Skipping phase "cleanup-node", which is the rest of it: nothing is taken away')
      } else if (dryRun) {
        for (const change of changes.reverse()) output.say(`[reset] Would ${describe(change)}`)
      } else {
        const left = await undoAll(journal, { detail: output.detail, note: output.say }, kept)
        const { failed } = owner === undefined ? await undoPreparation(host, output.say) : { failed: [] }
        const lines = leftLines([...left, ...preparationLeft(failed)])
        if (lines.length > 0) throw new KubestepError(lines.join('\n'))
        output.say(`[reset] Undid ${count} changes; the machine is as it was before init`)
      }
    })
  },
)
