/** Whether this machine's clock goes with the cluster's: certificates of either have to be valid for the other. */
import { KubestepError } from '../../base/errors.ts'
import { humanDuration } from '../../base/human-duration.ts'

/**
 * Certificates are dated back by so much, those of kubelets and those that a control plane node makes for itself.
 * Source: kubernetes certificate/authority, kubeadm certlist.go (v1.36).
 */
const BACKDATE_MS = 300_000

/** `date` is when the server answered, by its own clock, where it tells. Throws a KubestepError when they are too far apart. */
export function checkClock(server: string, date: Date | undefined, now: number = Date.now()): void {
  const behind = date === undefined ? 0 : date.getTime() - now
  if (Math.abs(behind) < BACKDATE_MS) return
  const apart = humanDuration(Math.round(Math.abs(behind) / 1_000))
  const [where, reason] =
    behind > 0
      ? ['behind', 'no certificate from there would be valid here']
      : ['ahead of', 'no certificate from here would be valid there']
  throw new KubestepError(
    `discovery: cannot join "${server}": this machine's clock is ${apart} ${where} the server's, so that ${reason}; set it`,
  )
}
