/** Whether this machine's clock goes with the cluster's, as far as a node of a role has to. */

import { humanDuration } from '../../base/human-duration.ts'
import type { NodeRole } from '../../base/kubeadm.ts'

/**
 * Certificates are dated back by so much: those that kubelets get, and those that a control plane node makes for itself.
 * Source: kubernetes certificates/signer/signer.go, kubeadm constants.go, CertificateBackdate (v1.36).
 */
const BACKDATE_MS = 300_000

/** So much an API server lets the token of a Pod begin later than by its own clock. Source: go-jose, DefaultLeeway. */
const LEEWAY_MS = 60_000

export interface ClockVerdict {
  readonly isFault: boolean
  readonly text: string
}

/**
 * What is wrong with the clock; undefined when nothing is. A worker gets its certificate from the cluster, dated by the
 * cluster: it works all the same. A control plane node signs its own, and its API server checks tokens of the others.
 */
export function clockVerdict(
  role: NodeRole,
  date: Date | undefined,
  now: number = Date.now(),
): ClockVerdict | undefined {
  const ahead = date === undefined ? 0 : now - date.getTime()
  const apart = Math.abs(ahead)
  const isControlPlane = role === 'control-plane'
  // A time that cannot be read is none.
  if (!(apart >= (isControlPlane ? LEEWAY_MS : BACKDATE_MS))) return undefined
  const text = `this machine's clock is ${difference(ahead)} the cluster's`
  if (!isControlPlane) return { isFault: false, text: `${text}: set it, or what it tells of times is off by as much` }
  const [from, to] = ahead > 0 ? ['here', 'there'] : ['there', 'here']
  if (apart < BACKDATE_MS)
    return { isFault: false, text: `${text}: set it, or new tokens of Pods from ${from} are refused ${to} for as long` }
  const reason =
    ahead > 0 ? 'no certificate from here would be valid there' : 'no new token of a Pod from there would be valid here'
  return { isFault: true, text: `${text}, so that ${reason}; set it` }
}

/** How far off it is, as a clause; nothing when that is not known, or is no matter. */
export function clockText(date: Date | undefined, now: number = Date.now()): string {
  const ahead = date === undefined ? 0 : now - date.getTime()
  return Math.abs(ahead) < LEEWAY_MS ? '' : `, which is ${difference(ahead)} the server's`
}

function difference(aheadMs: number): string {
  const apart = humanDuration(Math.round(Math.abs(aheadMs) / 1_000))
  return aheadMs > 0 ? `${apart} ahead of` : `${apart} behind`
}
