/**
 * A package manager at work: it is never cut off. Told to stop it ends between two steps; what dpkg or rpm has begun it
 * lets come to its end. Seen with apt 2.6: SIGINT does that, SIGTERM ends apt alone and leaves packages half configured.
 */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { $ } from './command.ts'
import { PACKAGE_MANAGERS } from './host/host-packages.ts'
import { commandLine, isHere, parentOf, pids } from './host/processes.ts'

/** What managers of ours, and all that they start, have in their environment. */
const MARK = 'KUBESTEP_INSTALLS'

/** A package manager that hangs on a lock or a mirror must not hold up an init for ever. */
const INSTALL_LIMIT_MS = 10 * 60_000

/** What has begun gets so long to come to its end. */
const END_LIMIT_MS = 10 * 60_000

const POLL_MS = 50

/** Runs one to its end, out of reach of a terminal's Ctrl-C. Throws a CommandError with its last line. */
export async function runManager(
  what: string,
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const timer = setTimeout(interrupt, INSTALL_LIMIT_MS)
  try {
    await $({ what, env: { ...environment, [MARK]: '1' }, detached: true })`${command}`
  } finally {
    clearTimeout(timer)
  }
}

/** Whether one that we, or a kubestep that was killed, have started is at work on this machine. */
export function isInstalling(): boolean {
  return marked().length > 0
}

/** Tells it to stop, and waits until it has; false when it is still there after a long time. */
export async function endInstalling(limitMs: number = END_LIMIT_MS): Promise<boolean> {
  interrupt()
  for (const end = performance.now() + limitMs; isInstalling(); await sleep(POLL_MS)) {
    if (performance.now() > end) return false
  }
  return true
}

function interrupt(): void {
  const all = marked()
  const managers = all.filter(pid => !all.includes(parentOf(pid) ?? 0) && isManager(pid))
  for (const pid of managers) {
    try {
      process.kill(pid, 'SIGINT')
    } catch {
      // Gone already.
    }
  }
}

// Some are scripts: the program is the second word then.
function isManager(pid: number): boolean {
  const words = commandLine(pid)
    .slice(0, 2)
    .map(word => basename(word))
  return PACKAGE_MANAGERS.some(({ program }) => words.includes(program))
}

function marked(): number[] {
  return pids().filter(pid => pid !== process.pid && hasMark(pid) && isHere(pid, '/'))
}

function hasMark(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${MARK}=1`)
  } catch {
    return false
  }
}
