/** Runs the phases of a join: all of them, so that a failure leaves the machine as it was; or one alone. */
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError, messageOf, RunError, reasonOf } from '../../base/errors.ts'
import { LAYOUT } from '../../base/paths.ts'
import { secondsText } from '../../base/stopwatch.ts'
import { commandOf } from '../../cli/invocation.ts'
import type { Call } from '../../cli/script.ts'
import { writeLogBundle } from '../../cluster/diagnose/log-bundle.ts'
import { isSkipped } from '../../kubeadm/config/phase-names.ts'
import { type Journal, openJournal } from '../../machine/journal.ts'
import { withSession } from '../init/init-session.ts'
import { block, resetCommand } from '../init/next-commands.ts'
import { leaveCluster } from '../reset/leave-cluster.ts'
import { undoAll } from '../reset/undo-all.ts'
import { alone } from '../run/machine-session.ts'
import { JOIN_PHASE_ROWS } from './join-phase.ts'
import { type JoinRun, openRun } from './join-run.ts'
import { readiness } from './node-state.ts'
import { openJoin } from './open-join.ts'
import { openNodeApi } from './wait-bootstrap.ts'

export type JoinSteps = Readonly<Record<string, (run: JoinRun) => Promise<void>>>

export async function runJoin(call: Call, steps: JoinSteps): Promise<void> {
  const opened = openJoin(call)
  if (opened.dryRun) {
    const run = openRun(opened, call, NO_JOURNAL)
    await runAll(run, steps).finally(run.close)
    return
  }
  await withSession(call, async journal => {
    const before = journal.changes().length
    const run = openRun(opened, call, journal)
    try {
      await runAll(run, steps)
      await waitForNode(run)
      await (await run.supply()).images.all
    } catch (error) {
      throw await undone(error, call, before)
    } finally {
      await run.close()
    }
    for (const line of doneLines(run)) call.output.say(line)
    call.output.event('ready', {
      nodeName: run.config.nodeRegistration.name,
      role: run.role,
      timings: run.timings.marks(),
    })
    return { timings: run.timings.marks(), gates: [] }
  })
}

/** One phase, or a part of it. Those that only look may be run by everybody. */
export async function runJoinPhase(call: Call, name: string, steps: JoinSteps): Promise<void> {
  const read = openJoin(call, { isKnown: name === 'kubelet-wait-bootstrap' })
  // What earlier phases made is in the way of nobody.
  const isLater = name !== 'preflight'
  const opened = isLater ? { ...read, config: { ...read.config, skipPhases: ['preflight'] } } : read
  const row = JOIN_PHASE_ROWS.find(phase => phase.name === name.split('/')[0])
  if (row?.controlPlane && opened.role === 'worker') {
    call.output.say(`[join] A worker has nothing to do in phase "${name}"`)
    return
  }
  const work = async (): Promise<void> => {
    const run = openRun(opened, call, opened.dryRun ? NO_JOURNAL : openJournal(LAYOUT.journal), false)
    try {
      for (const [step, go] of Object.entries(steps)) if (step === name || step.startsWith(`${name}/`)) await go(run)
      if (name === 'kubelet-start' && !opened.dryRun) await (await run.supply()).images.all
    } finally {
      await run.close()
    }
  }
  if (opened.dryRun) return work()
  return alone(call.name, `run it again, or take away what it made: ${commandOf('reset', true)}`, work)
}

async function runAll(run: JoinRun, steps: JoinSteps): Promise<void> {
  const { skipPhases = [] } = run.config
  for (const { name, controlPlane } of JOIN_PHASE_ROWS) {
    if (controlPlane && run.role === 'worker') continue
    // All that follows is taken away by the next join, if this one is killed.
    if (name !== JOIN_PHASE_ROWS[0]?.name) run.journal.record()
    for (const [step, go] of Object.entries(steps)) {
      if ((step === name || step.startsWith(`${name}/`)) && !isSkipped(step, skipPhases)) await go(run)
    }
  }
}

const POLL_MS = 100

/** Ready, unless the Pod network is somebody else's, who has to come first. */
async function waitForNode(run: JoinRun): Promise<void> {
  const { config, call, timings, deadline } = run
  if (['kubelet-start', 'kubelet-wait-bootstrap'].some(name => isSkipped(name, config.skipPhases))) return
  const { network } = await run.supply()
  const { name } = config.nodeRegistration
  const { server } = await run.cluster()
  const api = openNodeApi(server)
  const task = call.output.begin('node')
  try {
    for (;;) {
      const node = await api.get(`/api/v1/nodes/${name}`).catch((error: unknown) => error as Error)
      const state = node instanceof Error ? reasonOf(node) : readiness(node)
      if (state === true) {
        timings.mark('node')
        return task.done(`[ready] node after ${secondsText(timings.elapsed())}`)
      }
      if (network === undefined && node !== undefined && !(node instanceof Error)) {
        timings.mark('node')
        return task.done(`[join] Node "${name}" is not Ready until the Pod network of this cluster is on it: ${state}`)
      }
      task.tell(state)
      if (deadline.aborted) throw new KubestepError(`join: node "${name}" is not Ready in time: ${state}`)
      await sleep(POLL_MS)
    }
  } finally {
    api.close()
  }
}

function doneLines({ role, config, timings }: JoinRun): string[] {
  const { name } = config.nodeRegistration
  return [
    `[join] This machine is node "${name}" of the cluster after ${secondsText(timings.elapsed())}, ${role === 'worker' ? 'as a worker' : 'as a part of its control plane'}`,
    '[join] On a control plane node it is seen by:',
    ...block(['kubectl get nodes']),
    '[join] To take this node away again:',
    ...block([resetCommand()]),
  ]
}

/** Takes back what was changed, after its logs were saved; a fault in our own code stays as it is. */
async function undone(error: unknown, call: Call, before: number): Promise<unknown> {
  if (!(error instanceof KubestepError)) return error
  // Files are recorded as they are written, by whoever writes them.
  const journal = openJournal(LAYOUT.journal)
  if (journal.changes().length === before) return error
  const reason = messageOf(call.name, error)
  const logs = await writeLogBundle({ reason }).then(
    ({ path }) => [`join: everything that was logged is in "${path}"`],
    () => [],
  )
  const { detail } = call.output
  const leaving = { dryRun: false, loseQuorum: false, say: detail, warn: call.output.warn }
  await leaveCluster(journal.changes().slice(before), leaving).catch((reason: unknown) => {
    call.output.warn(reasonOf(reason))
  })
  const left = await undoAll(journal, { detail, note: detail }, before)
  const end =
    left.length === 0
      ? 'join: the machine is as it was before; run it again as it is'
      : `join: not all of it could be taken back; say ${resetCommand()}`
  return new RunError([reason, ...logs, end].join('\n'), { reason }, { cause: error })
}

const NO_JOURNAL: Journal = { path: '', changes: () => [], record: () => {}, clear: () => {}, keep: () => {} }
