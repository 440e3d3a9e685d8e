/** Expirations as kubeadm prints them: a table, or an object of its output API. Source: kubeadm cmd/certs.go (v1.36). */
import { humanDuration } from '../../base/human-duration.ts'
import type { JsonObject } from '../../base/json.ts'
import type { Expiration, Expirations } from './expiration.ts'
import { formatTime } from './validity.ts'

/** Two tables with a blank line between. */
export function expirationTable({ certificates, authorities }: Expirations, now: Date): string {
  const cells = (row: Expiration): string[] => {
    const name = row.mark === undefined ? row.name : `!${row.mark}! ${row.name}`
    const { notAfter } = row
    const dates = notAfter === undefined ? ['', ''] : [day(notAfter), humanDuration(secondsUntil(notAfter, now))]
    return [name, ...dates, row.authority ?? '', notAfter === undefined ? '' : yes(row.external).padEnd(8)]
  }
  const withoutAuthority = (row: Expiration): string[] => cells(row).filter((_cell, column) => column !== 3)
  return [
    align([
      ['CERTIFICATE', 'EXPIRES', 'RESIDUAL TIME', 'CERTIFICATE AUTHORITY', 'EXTERNALLY MANAGED'],
      ...certificates.map(cells),
    ]),
    align([
      ['CERTIFICATE AUTHORITY', 'EXPIRES', 'RESIDUAL TIME', 'EXTERNALLY MANAGED'],
      ...authorities.map(withoutAuthority),
    ]),
  ].join('\n')
}

/** Columns of at least ten characters with three blanks between, as Go's tabwriter sets them; the last as it is. */
function align(rows: readonly (readonly string[])[]): string {
  const last = (rows[0]?.length ?? 0) - 1
  const widths = rows[0]?.map((_, column) => Math.max(10, ...rows.map(row => (row[column] ?? '').length + 3))) ?? []
  return rows
    .map(row => `${row.map((cell, column) => (column === last ? cell : cell.padEnd(widths[column] ?? 0))).join('')}\n`)
    .join('')
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** `Nov 27, 2027 18:50 UTC`. */
function day(date: Date): string {
  const [, year, month, date2, time] = /^(\d+)-(\d+)-(\d+)T(\d+:\d+)/.exec(date.toISOString()) ?? []
  return `${MONTHS[Number(month) - 1]} ${date2}, ${year} ${time} UTC`
}

function yes(is: boolean): string {
  return is ? 'yes' : 'no'
}

// Go cuts the rest of a second off, towards zero.
function secondsUntil(date: Date, now: Date): number {
  return Math.trunc((date.getTime() - now.getTime()) / 1000)
}

/** The object; `keyMissing` is ours, and only there where it is so. */
export function expirationObject({ certificates, authorities }: Expirations, now: Date): JsonObject {
  const rowOf = ({ name, mark, notAfter, authority, external }: Expiration): JsonObject => ({
    name,
    expirationDate: notAfter === undefined ? null : formatTime(notAfter),
    residualTime: notAfter === undefined ? 0 : secondsUntil(notAfter, now),
    externallyManaged: external,
    ...(authority && notAfter && { caName: authority }),
    missing: notAfter === undefined,
    ...(mark === 'NO KEY' && { keyMissing: true }),
  })
  return {
    kind: 'CertificateExpirationInfo',
    apiVersion: 'output.kubeadm.k8s.io/v1alpha3',
    certificates: certificates.map(rowOf),
    certificateAuthorities: authorities.map(rowOf),
  }
}
