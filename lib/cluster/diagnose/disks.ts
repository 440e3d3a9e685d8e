/** Whether there is room where a cluster writes. */

import { KUBERNETES, LAYOUT } from '../../base/paths.ts'
import { $ } from '../../machine/command.ts'
import type { Finding } from './broken-link.ts'

const FOLDERS: readonly string[] = [LAYOUT.state, KUBERNETES.kubelet, KUBERNETES.etcd, '/var/log', '/run']

/** Below this nothing works; etcd alone writes 64 MiB at a time. */
const LEAST_KIB = 8 * 1024

/** undefined when there is. */
export async function lookAtDisks(): Promise<Finding | undefined> {
  // Folders that are not there are told of on stderr, and the others all the same.
  const { stdout } = await $({ nothrow: true })`df -Pk ${FOLDERS}`
  const full = fullDisks(stdout)
  if (full.length === 0) return undefined
  return { cause: `no room is left: ${full.join(', ')}; free some`, lines: [] }
}

/** Mount points with next to no room, from the output of `df -Pk`. */
export function fullDisks(df: string): string[] {
  const rows = df
    .split('\n')
    .slice(1)
    .map(line => line.trim().split(/\s+/))
    .filter(fields => fields.length >= 6 && Number(fields[3]) < LEAST_KIB)
  return [...new Set(rows.map(fields => `${fields[3]} KiB in "${fields.slice(5).join(' ')}"`))]
}
