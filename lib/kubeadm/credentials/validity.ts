/** From when to when certificates are valid. Source: kubeadm util/pkiutil, phases/certs/certlist.go (v1.18 to v1.36). */

import { durationMilliseconds } from '../../base/duration.ts'
import type { InitConfig } from '../../base/kubeadm.ts'
import { type Since, valueSince } from '../../base/version.ts'

export interface Validity {
  readonly notBefore: Date
  readonly notAfter: Date
}

/** Clocks of other machines may be late by this much. */
const BACKDATE_MS = 5 * 60_000

// Source: kubernetes PR 118922 (1.28.0), back-ported to 1.27.5, 1.26.8 and 1.25.13.
const AUTHORITY_BACKDATE_MS: Since<number> = {
  '1.18': 0,
  '1.25.13': BACKDATE_MS,
  '1.26': 0,
  '1.26.8': BACKDATE_MS,
  '1.27': 0,
  '1.27.5': BACKDATE_MS,
  '1.28': BACKDATE_MS,
}

// Source: kubeadm certlist.go, GetConfig (v1.31); before that a leaf began with its CA.
const LEAF_IS_BACKDATED: Since<boolean> = { '1.18': false, '1.31': true }

/** Of a CA: a little before `now` to the end of the CA period. */
export function authorityValidity({ cluster, kubeadm }: InitConfig, now: Date): Validity {
  return {
    notBefore: shift(now, -(valueSince(AUTHORITY_BACKDATE_MS, kubeadm) ?? 0)),
    notAfter: shift(now, durationMilliseconds(cluster.caCertificateValidityPeriod)),
  }
}

/** Of a leaf in a file of its own. `authority` is the CA's. */
export function leafValidity(config: InitConfig, now: Date, authority: Validity): Validity {
  return valueSince(LEAF_IS_BACKDATED, config.kubeadm)
    ? { ...clientValidity(config, now, authority), notBefore: shift(now, -BACKDATE_MS) }
    : clientValidity(config, now, authority)
}

/** Of a client certificate inside a kubeconfig: it begins with its CA, in every release. */
export function clientValidity({ cluster }: InitConfig, now: Date, authority: Validity): Validity {
  return {
    notBefore: authority.notBefore,
    notAfter: shift(now, durationMilliseconds(cluster.certificateValidityPeriod)),
  }
}

// Certificates know whole seconds; Go cuts the rest off.
function shift(date: Date, milliseconds: number): Date {
  return new Date(Math.floor((date.getTime() + milliseconds) / 1000) * 1000)
}

/** Why a certificate is not valid at `now`; undefined when it is. */
export function validityFault({ notBefore, notAfter }: Validity, now: Date): string | undefined {
  if (now < notBefore) return `it is not valid before ${formatTime(notBefore)}`
  if (now > notAfter) return `it expired on ${formatTime(notAfter)}`
  return undefined
}

/** `2027-11-23T14:20:00Z`. */
export function formatTime(date: Date): string {
  return date.toISOString().replace(/\.\d+/, '')
}
