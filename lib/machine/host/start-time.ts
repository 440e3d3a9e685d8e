/** When a process started. */
import { readTextOrEmpty } from '../files.ts'

/** In clock ticks since boot (field 22 of /proc/PID/stat); undefined when it is gone. */
export function startTime(pid: number): string | undefined {
  // The second field is the command in brackets and may hold anything, so count from its end.
  const fields = readTextOrEmpty(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ')
  return fields === undefined || fields.length < 20 || fields[0] === 'Z' ? undefined : fields[19]
}
