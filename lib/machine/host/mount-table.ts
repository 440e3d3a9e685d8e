/** What kinds of file systems are mounted where. Pure parsing of /proc/self/mountinfo. */
import { unescapeOctal } from './mounts.ts'

export interface Mount {
  readonly point: string
  /** E.g. `ext4`, `overlay`, `cgroup2`. */
  readonly type: string
  readonly readOnly: boolean
}

/** Source: proc_pid_mountinfo(5): optional fields end with a dash, then come type, source and the file system's options. */
export function parseMounts(mountinfo: string): Mount[] {
  return mountinfo
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const fields = line.split(' ')
      const rest = fields.slice(fields.indexOf('-', 6) + 1)
      const options = [...(fields[5] ?? '').split(','), ...(rest[2] ?? '').split(',')]
      return { point: unescapeOctal(fields[4] ?? ''), type: rest[0] ?? '', readOnly: options.includes('ro') }
    })
}

/** The mount that a path lies on; of several at one place the last is on top. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  const above = mounts.filter(({ point }) => point === '/' || path === point || path.startsWith(`${point}/`))
  const longest = Math.max(...above.map(({ point }) => point.length))
  return above.findLast(({ point }) => point.length === longest)
}
