/** The beginning and the end of a real init: who may, whether there is a cluster already, what an earlier try left. */
import { existsSync } from 'node:fs'
import { KubestepError } from '../../base/errors.ts'
import { LAYOUT } from '../../base/paths.ts'
import type { Call } from '../../cli/script.ts'
import { writeFiles } from '../../machine/files.ts'
import { type Journal, openJournal } from '../../machine/journal.ts'
import { ownerOf } from '../reset/cluster-owner.ts'
import { leaveCluster } from '../reset/leave-cluster.ts'
import { undoAll } from '../reset/undo-all.ts'
import { isInTheWay, leftLines } from '../reset/what-stays.ts'
import { alone } from '../run/machine-session.ts'
import type { ClusterUp } from './bring-up.ts'
import { block, resetCommand, useCommands } from './next-commands.ts'

/**
 * Runs the `work` of an init on a clean start: what a killed or failed init left is taken away first. What phases made
 * by themselves before it (certs, kubeconfig, ...) is none of that: as with kubeadm init uses what fits, and refuses
 * what is in its way; reset takes all of it away. Throws a KubestepError when a cluster is up already.
 */
export function withSession<Up extends Pick<ClusterUp, 'timings' | 'gates'>>(
  call: Call,
  work: (journal: Journal) => Promise<Up>,
): Promise<Up> {
  const advice = `run it again to start over, or take away what it made: ${resetCommand()}`
  return alone(call.name, advice, async () => {
    const journal = openJournal(LAYOUT.journal)
    if (existsSync(LAYOUT.ready)) {
      throw new KubestepError(
        [
          `${call.name}: cannot set up a cluster: there is one on this machine; use it:`,
          ...block(useCommands()),
          'or take it away first:',
          ...block([resetCommand()]),
        ]
          .join('\n')
          .trimEnd(),
      )
    }
    const before = journal.changes().findIndex(({ kind }) => kind === 'init')
    if (before >= 0) {
      call.output.say(`[${call.name}] Taking away what an earlier ${call.name} left`)
      const say = { detail: call.output.detail, note: call.output.detail }
      const leaving = { dryRun: false, loseQuorum: false, say: say.note, warn: call.output.warn }
      await leaveCluster(journal.changes().slice(before), leaving)
      const left = await undoAll(journal, say, before)
      const obstacles = left.filter(isInTheWay)
      if (obstacles.length > 0) throw new KubestepError(leftLines(left).join('\n'))
      // It stays in the record, under what this init changes.
      for (const line of leftLines(left)) call.output.warn(line)
    }
    const up = await work(withBeginning(journal, ownerOf(call)))
    writeFiles('/', [
      {
        path: LAYOUT.ready,
        mode: 0o644,
        content: `${JSON.stringify({ timings: up.timings, gates: up.gates }, null, 2)}\n`,
      },
    ])
    return up
  })
}

/** A journal that notes the beginning of an init with its first change; one that is refused before leaves nothing. */
function withBeginning(journal: Journal, owner: string | undefined): Journal {
  const beginning = { kind: 'init', ...(owner !== undefined && { owner }) } as const
  return { ...journal, record: (...changes) => journal.record(beginning, ...changes) }
}
