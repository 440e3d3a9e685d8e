/** Looks at a cluster that is coming up, to give up as soon as it is clear that it will not. */
import { setTimeout as sleep } from 'node:timers/promises'
import { KUBELET } from '../../machine/service/kubelet-service.ts'
import type { Broken } from './broken-link.ts'
import type { DiagnosisContext } from './diagnosis-context.ts'
import { firstBroken, LINKS } from './link-chain.ts'

const INTERVAL_MS = 1000

/**
 * Ends when a link is broken in a way that time does not change (a container or the kubelet that ends again and again,
 * a runtime that stays away, a Pod that cannot be made), and gives it; undefined when the signal fires first. What ended before the watch began
 * does not count: somebody may have fixed it meanwhile. Never throws.
 */
export async function watchForFailure(context: DiagnosisContext, signal: AbortSignal): Promise<Broken | undefined> {
  const links = LINKS.filter(({ watched }) => watched)
  const before = await context.services.restarts(KUBELET).catch(() => 0)
  const watched = { ...context, kubeletRestartsBefore: before }
  let seen: Seen = { from: Date.now(), since: performance.now() }
  for (;;) {
    await sleep(INTERVAL_MS, undefined, { signal }).catch(() => {})
    if (signal.aborted) return undefined
    const broken = await firstBroken(watched, links)
    seen = note(seen, broken, performance.now())
    if (broken !== undefined && isFinal(broken, seen, performance.now())) return broken
  }
}

/** What the looks so far have shown. */
export interface Seen {
  /** When the watch began; milliseconds since 1970. */
  readonly from: number
  readonly broken?: Broken
  /** Since when that link is the broken one; as performance.now() has it. */
  readonly since: number
  /** When the API server was first seen ready; milliseconds since 1970. */
  readonly apiReadyAt?: number
}

/** What is known after one more look. */
export function note(seen: Seen, broken: Broken | undefined, now: number, wallClock: number = Date.now()): Seen {
  const apiReadyAt = seen.apiReadyAt ?? (broken === undefined || needsApi(broken) ? wallClock : undefined)
  return {
    from: seen.from,
    ...(broken !== undefined && { broken }),
    since: isSame(broken, seen.broken) ? seen.since : now,
    ...(apiReadyAt !== undefined && { apiReadyAt }),
  }
}

function isSame(a: Broken | undefined, b: Broken | undefined): boolean {
  return a?.link === b?.link && a?.kind === b?.kind
}

/** Whether more time will not help. */
export function isFinal(broken: Broken, { from, since, apiReadyAt }: Seen, now: number): boolean {
  if (now - since >= (broken.finalAfterMs ?? Number.POSITIVE_INFINITY)) return true
  // Who ended before the API server was ready has waited for it, or had no rights yet.
  const tooEarly = needsApi(broken) && (broken.endedAt ?? 0) < (apiReadyAt ?? Number.POSITIVE_INFINITY)
  const isOld = broken.endedAt !== undefined && broken.endedAt < from
  return broken.final === true && !tooEarly && !isOld
}

function needsApi({ link }: Broken): boolean {
  return LINKS.findIndex(({ name }) => name === link) > LINKS.findIndex(({ name }) => name === 'API server')
}
