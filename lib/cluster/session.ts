/** The beginning and the end of a real init: who may, whether there is a cluster already, what an earlier try left. */
import { existsSync } from 'node:fs'
import { KubestepError } from '../errors.ts'
import { writeFiles } from '../files.ts'
import { type Journal, openJournal } from '../journal.ts'
import { LAYOUT } from '../layout.ts'
import { takeLock } from '../lock.ts'
import { undoAll } from '../reset/undo-all.ts'
import type { Call } from '../script.ts'
import type { ClusterUp } from './bring-up.ts'

/** There when an init has come to its end. */
const READY = `${LAYOUT.state}/ready.json`

/** Throws a KubestepError unless this process may change the machine. */
export function requireRoot(what: string): void {
  if (process.getuid?.() === 0) return
  throw new KubestepError(`${what}: cannot change this machine: it needs root; run it with sudo`)
}

/**
 * Runs `work` as the only kubestep on the machine, on a clean start: what a killed or failed init left is taken away
 * first. Throws a KubestepError when a cluster is up already.
 */
export async function withSession(call: Call, work: (journal: Journal) => Promise<ClusterUp>): Promise<ClusterUp> {
  requireRoot(call.name)
  const release = takeLock(LAYOUT.lock, call.name)
  try {
    const journal = openJournal(LAYOUT.journal)
    if (journal.changes().length > 0) {
      if (existsSync(READY)) {
        throw new KubestepError(
          `${call.name}: cannot set up a cluster: there is one on this machine; use it, or run the reset script first`,
        )
      }
      call.output.say(`[${call.name}] Taking away what an earlier ${call.name} left`)
      const failures = await undoAll(journal, call.output.detail)
      if (failures.length > 0) throw new KubestepError(failures.join('\n'))
    }
    const up = await work(journal)
    writeFiles('/', [
      { path: READY, mode: 0o644, content: `${JSON.stringify({ timings: up.timings, gates: up.gates }, null, 2)}\n` },
    ])
    return up
  } finally {
    release()
  }
}
