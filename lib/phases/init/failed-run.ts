/** How a failed init ends: as soon as it is clear that it fails, with the cause and the place of the logs. */

import { KubestepError, messageOf, Reason, RunError, reasonOf, WaitError } from '../../base/errors.ts'
import type { Broken } from '../../cluster/diagnose/broken-link.ts'
import type { DiagnosisContext } from '../../cluster/diagnose/diagnosis-context.ts'
import { firstBroken, LINKS } from '../../cluster/diagnose/link-chain.ts'
import { writeLogBundle } from '../../cluster/diagnose/log-bundle.ts'
import { watchForFailure } from '../../cluster/diagnose/watch-failure.ts'
import { resetCommand } from './next-commands.ts'

/** What is known of a run that failed. */
export interface FailedRun {
  /** Of what was run. */
  readonly name: string
  /** What a diagnosis looks at; undefined before the kubelet was started. */
  readonly watched?: DiagnosisContext
  /** Milliseconds since the start, by what was reached. */
  readonly marks: Readonly<Record<string, number>>
  /** Milliseconds since the start. */
  readonly afterMs: number
}

/** Before that a component that does not serve yet is starting, not broken: the slowest take half of it. */
const YOUNG_MS = 30_000

/** Fails as soon as something is broken for good: nobody has to wait for the whole budget then. */
export async function failure(watched: DiagnosisContext, signal: AbortSignal): Promise<never> {
  const broken = await watchForFailure(watched, signal)
  if (broken === undefined) return new Promise(() => {})
  throw new BrokenError('cannot bring up the cluster', broken)
}

/** The error with the cause behind it and the place of the logs; a fault in our own code stays as it is. */
export async function explained(error: unknown, run: FailedRun): Promise<unknown> {
  if (!(error instanceof KubestepError)) return error
  const broken = await brokenLink(error, run)
  const isShort = error instanceof WaitError && broken === undefined
  const { name, marks: timings } = run
  const message = messageOf(name, error)
  const what = isShort ? `${message}; nothing is broken so far, give more time with --timeout` : message
  const cause =
    broken === undefined
      ? []
      : [
          `${name}: the first broken link is the ${broken.link}: ${broken.cause}`,
          ...broken.lines.map(line => `  ${line}`),
        ]
  const logs = await writeLogBundle({ reason: what, timings, broken }).then(
    ({ path }) => path,
    (reason: unknown) => new Error(reasonOf(reason)),
  )
  const saved =
    logs instanceof Error
      ? `${name}: the logs could not be saved: ${logs.message}`
      : `${name}: everything that was logged is in "${logs}"; to take the rest away: ${resetCommand()}`
  const facts = {
    reason: what,
    timings,
    ...(broken !== undefined && { broken: { link: broken.link, cause: broken.cause, lines: broken.lines } }),
    ...(typeof logs === 'string' && { logs }),
  }
  return new RunError([what, ...cause, saved].join('\n'), facts, { cause: error })
}

/** Why a wait was in vain. What a step says of itself is the cause: whatever else does not run yet is its symptom. */
async function brokenLink(error: KubestepError, { watched, marks, afterMs }: FailedRun): Promise<Broken | undefined> {
  if (error instanceof BrokenError) return error.broken
  if (!(error instanceof WaitError) || watched === undefined) return undefined
  const started = marks['kubelet started']
  // It has no static Pod before the first images are in.
  const begun = started === undefined ? 0 : Math.max(started, marks['first images'] ?? afterMs)
  const isYoung = afterMs - begun < YOUNG_MS
  return firstBroken(watched, LINKS, isYoung).catch(() => undefined)
}

/** Broken for good, with what is broken. */
class BrokenError extends Reason {
  readonly broken: Broken

  constructor(message: string, broken: Broken) {
    super(message)
    this.broken = broken
  }
}
