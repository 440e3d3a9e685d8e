/** The time zone of a machine. Pure parsing. */
import { nearest } from '../../base/nearest.ts'
import type { HostSource } from './host-source.ts'

/** Where zones lie. */
export const ZONES = '/usr/share/zoneinfo'

/** The zone that a link at /etc/localtime names, e.g. `Europe/Berlin`. Source: localtime(5). */
export function zoneOfLink(target: string): string | undefined {
  return /\/zoneinfo\/(.+)$/.exec(target)?.[1]
}

/** What keeps a name from being a zone of this host, and what to do; undefined when it is one. */
export function zoneFault(name: string, host: HostSource): string | undefined {
  const isPath = /^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/.test(name)
  if (isPath && host.kind(`${ZONES}/${name}`) === 'file') return undefined
  if (host.kind(ZONES) !== 'folder') return `"${ZONES}" is not there; install the package tzdata`
  const hint = nearest(name, Intl.supportedValuesOf('timeZone'))
  return `there is no such zone; ${hint === undefined ? `use a name below "${ZONES}", e.g. Europe/Berlin` : `did you mean "${hint}"?`}`
}
