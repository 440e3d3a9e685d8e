/** How a failed init ends: as soon as it is clear that it fails, with the first broken link and the place of the logs. */
import type { Broken } from '../diagnose/broken.ts'
import { writeLogBundle } from '../diagnose/bundle.ts'
import type { DiagnosisContext } from '../diagnose/context.ts'
import { firstBroken } from '../diagnose/links.ts'
import { watchForFailure } from '../diagnose/watch.ts'
import { KubestepError, RunError, reasonOf } from '../errors.ts'
import { resetCommand } from './next-commands.ts'

/** Fails as soon as something is broken for good: nobody has to wait for the whole budget then. */
export async function failure(watched: DiagnosisContext, signal: AbortSignal): Promise<never> {
  const broken = await watchForFailure(watched, signal)
  if (broken === undefined) return new Promise(() => {})
  throw new BrokenError('init: cannot bring up the cluster', broken)
}

/** The error with the cause behind it and the place of the logs; a fault in our own code stays as it is. */
export async function explained(
  error: unknown,
  watched: DiagnosisContext,
  marks: Readonly<Record<string, number>>,
): Promise<unknown> {
  if (!(error instanceof KubestepError)) return error
  const broken = error instanceof BrokenError ? error.broken : await firstBroken(watched).catch(() => undefined)
  const cause =
    broken === undefined
      ? []
      : [`init: the first broken link is the ${broken.link}: ${broken.cause}`, ...broken.lines.map(line => `  ${line}`)]
  const request = { reason: error.message, timings: marks, ...(broken !== undefined && { broken }) }
  const logs = await writeLogBundle(request).then(
    ({ path }) => path,
    (reason: unknown) => new Error(reasonOf(reason)),
  )
  const saved =
    logs instanceof Error
      ? `init: the logs could not be saved: ${logs.message}`
      : `init: everything that was logged is in "${logs}"; to take the rest away: ${resetCommand()}`
  const facts = {
    reason: error.message,
    timings: marks,
    ...(broken !== undefined && { broken: { link: broken.link, cause: broken.cause, lines: broken.lines } }),
    ...(typeof logs === 'string' && { logs }),
  }
  return new RunError([error.message, ...cause, saved].join('\n'), facts, { cause: error })
}

/** Broken for good, with what is broken. */
class BrokenError extends KubestepError {
  readonly broken: Broken

  constructor(message: string, broken: Broken) {
    super(message)
    this.broken = broken
  }
}
