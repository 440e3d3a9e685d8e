/** Work that changes this machine: as root, and as the only kubestep on it. */
import { KubestepError } from '../../base/errors.ts'
import { LAYOUT } from '../../base/paths.ts'
import { interruptible } from '../../cli/interrupt.ts'
import { takeLock } from '../../machine/machine-lock.ts'

/** Throws a KubestepError unless this process may change the machine. */
export function requireRoot(what: string): void {
  if (process.getuid?.() === 0) return
  throw new KubestepError(`${what}: cannot change this machine: it needs root; run it with sudo`)
}

/**
 * Runs `work` as the only kubestep on the machine, and as root; `advice` is for who interrupts it.
 * Throws a KubestepError when it may not, or what `work` throws.
 */
export async function alone<Result>(what: string, advice: string, work: () => Promise<Result>): Promise<Result> {
  requireRoot(what)
  const release = takeLock(LAYOUT.lock, what)
  try {
    return await interruptible(what, advice, release, work)
  } finally {
    release()
  }
}
