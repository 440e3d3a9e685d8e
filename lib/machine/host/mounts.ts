/** What is mounted where. */
import { readFileSync } from 'node:fs'

/**
 * Mount points in the text of /proc/self/mountinfo that lie at or below one of the folders, deepest first; several times
 * where several are on top of each other. What is below another mount cannot be seen, and not be unmounted either: the
 * world of a local node has such of the machine that it is on.
 */
export function mountsBelow(mountinfo: string, folders: readonly string[]): string[] {
  return visibleMounts(mountinfo)
    .filter(point => folders.some(folder => point === folder || point.startsWith(`${folder}/`)))
    .sort((a, b) => b.length - a.length)
}

/** Source: proc_pid_mountinfo(5). */
function visibleMounts(mountinfo: string): string[] {
  const rows = mountinfo
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const [id = '', parent = '', , , point = ''] = line.split(' ')
      return { id, parent, point: unescapeOctal(point) }
    })
  const ids = new Set(rows.map(({ id }) => id))
  // That of the root directory is on one that cannot be seen from there, or on itself.
  const above = ({ id, parent }: (typeof rows)[number]): string => (ids.has(parent) && parent !== id ? parent : '')
  const on = new Map(rows.map(row => [`${above(row)} ${row.point}`, row.id]))
  return rows.filter(({ id, point }) => mountsOnTheWay(on, point).includes(id)).map(({ point }) => point)
}

/** Whoever walks down a path goes from mount to mount. */
function mountsOnTheWay(on: ReadonlyMap<string, string>, path: string): string[] {
  const parts = path.split('/').filter(part => part !== '')
  const way = ['/', ...parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)]
  const passed: string[] = []
  let at = ''
  for (const place of way) {
    for (let next = on.get(`${at} ${place}`); next !== undefined; next = on.get(`${at} ${place}`)) {
      passed.push(next)
      at = next
    }
  }
  return passed
}

/** A path as the kernel lists it: blanks and the like stand as `\040`. Source: proc(5). */
export function unescapeOctal(point: string): string {
  return point.replace(/\\([0-7]{3})/g, (_match, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

/** The mount table of this process. */
export function readMountinfo(): string {
  return readFileSync('/proc/self/mountinfo', 'utf8')
}
