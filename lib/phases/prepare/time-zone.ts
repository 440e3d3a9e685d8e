/** Item `time-zone`. */

import { ZONES, zoneFault, zoneOfLink } from '../../machine/host/zone.ts'
import type { PreparedChange } from '../../machine/host-change.ts'
import { type Finding, linesChange, NOTHING, type PrepareContext } from './prepare-item.ts'

const LINK = '/etc/localtime'
/** Debian's own note of the zone; other distributions have none. */
const NOTE = '/etc/timezone'

export async function findTimeZone({ host, timeZone }: PrepareContext, asked: boolean): Promise<Finding> {
  if (timeZone === undefined) {
    return asked ? { changes: [], faults: ['cannot set the time zone: none is given; add --time-zone ZONE'] } : NOTHING
  }
  const fault = zoneFault(timeZone, host)
  if (fault !== undefined) return { changes: [], faults: [`cannot set the time zone to "${timeZone}": ${fault}`] }
  const before = host.link(LINK) ?? null
  if (before === null && host.kind(LINK) !== undefined) {
    return {
      changes: [],
      faults: [`cannot set the time zone to "${timeZone}": "${LINK}" is a file, not a link; move it away`],
    }
  }
  const link: PreparedChange[] =
    before !== null && zoneOfLink(before) === timeZone
      ? []
      : [{ kind: 'link', path: LINK, before, after: `${ZONES}/${timeZone}` }]
  const noted = host.read(NOTE)?.split('\n')[0]
  const isNoted = noted === undefined || noted === timeZone
  return { changes: [...link, ...linesChange(host, NOTE, isNoted ? [] : [{ before: noted, after: timeZone }])] }
}
