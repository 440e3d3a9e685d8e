/** Looks at a cluster that is coming up, to give up as soon as it is clear that it will not. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Broken } from './broken.ts'
import type { DiagnosisContext } from './context.ts'
import { firstBroken, LINKS } from './links.ts'

const INTERVAL_MS = 1000

/**
 * Ends when a link is broken in a way that time does not mend (a container or the kubelet that ends again and again,
 * a runtime that stays away), and gives it; undefined when the signal fires first. Never throws.
 */
export async function watchForFailure(context: DiagnosisContext, signal: AbortSignal): Promise<Broken | undefined> {
  const links = LINKS.filter(({ watched }) => watched)
  let since = performance.now()
  let before: Broken | undefined
  for (;;) {
    await sleep(INTERVAL_MS, undefined, { signal }).catch(() => {})
    if (signal.aborted) return undefined
    const broken = await firstBroken(context, links)
    if (broken?.link !== before?.link) since = performance.now()
    before = broken
    if (broken?.final || performance.now() - since > (broken?.finalAfterMs ?? Number.POSITIVE_INFINITY)) return broken
  }
}
