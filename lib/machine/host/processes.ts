/** Processes of this machine, by what they were started with. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readTextOrEmpty } from '../files.ts'

export interface Narrowing {
  /** What the program is called. */
  readonly program?: RegExp
  /** A folder that has to be the same one for the process as it is for us. */
  readonly folder?: string
}

/**
 * Pids whose command line has all the given arguments. A container or another machine on this one may have the same
 * paths: its processes are left out.
 */
export function processesWith(argv: readonly string[], { program, folder = '/' }: Narrowing = {}): number[] {
  return pids().filter(pid => {
    const given = commandLine(pid)
    if (given.length === 0 || !argv.every(argument => given.includes(argument))) return false
    return (program?.test(basename(given[0] ?? '')) ?? true) && isHere(pid, folder)
  })
}

// Of our own namespace of processes, and with our files: a container may share the one, a program may unshare the other.
export function isHere(pid: number, folder: string): boolean {
  return isOfOurNamespace(readTextOrEmpty(`/proc/${pid}/status`)) && seesSame(pid, '/') && seesSame(pid, folder)
}

/**
 * Whether the text of /proc/PID/status is that of a process in the namespace of processes that /proc shows: one of an
 * inner namespace has a number in each. Source: proc_pid_status(5), NSpid, Linux 4.1; older ones do not say.
 */
export function isOfOurNamespace(status: string): boolean {
  const numbers = /^NSpid:\s*(.*)$/m.exec(status)?.[1]
  return numbers === undefined || numbers.trim().split(/\s+/).length === 1
}

function seesSame(pid: number, folder: string): boolean {
  const ours = statSync(folder, { throwIfNoEntry: false })
  if (ours === undefined) return true
  try {
    const theirs = statSync(`/proc/${pid}/root${folder}`)
    return theirs.dev === ours.dev && theirs.ino === ours.ino
  } catch (error) {
    // Whoever may not look goes by the command line.
    return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')
  }
}

/** Pid of the parent; undefined when the process is gone. */
export function parentOf(pid: number): number | undefined {
  const [, parent] = statOf(pid)
  return parent === undefined ? undefined : Number(parent)
}

/** Pids of the processes that one has started and that still run; `sameSession` leaves out those in a session of their own. */
export function childrenOf(pid: number, { sameSession = false }: { readonly sameSession?: boolean } = {}): number[] {
  const [, , , session] = statOf(pid)
  return pids().filter(other => {
    const [state, parent, , own] = statOf(other)
    return Number(parent) === pid && state !== 'Z' && state !== 'X' && (!sameSession || own === session)
  })
}

/** Pids in a process group, those that have ended left out. */
export function processesInGroup(group: number): number[] {
  return pids().filter(pid => {
    const [state, , own] = statOf(pid)
    return Number(own) === group && state !== 'Z' && state !== 'X'
  })
}

/** All processes that /proc shows. */
export function pids(): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
}

/** The arguments of a process, its own name first; empty when it is gone. */
export function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  } catch {
    return []
  }
}

/** Kills processes and waits a little for them to go; what only PID 1 has to reap counts as gone. */
export async function kill(pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Gone already.
    }
  }
  for (let waited = 0; waited < 2000 && pids.some(isThere); waited += 20) await sleep(20)
}

function isThere(pid: number): boolean {
  const [state, parent] = statOf(pid)
  return state !== undefined && !(state === 'Z' && parent === '1')
}

/** What stands behind the command in brackets: state, parent, group, session. Empty when it is gone. Source: proc(5). */
function statOf(pid: number): string[] {
  const text = readTextOrEmpty(`/proc/${pid}/stat`)
  return text === '' ? [] : (text.split(') ').at(-1)?.split(' ') ?? [])
}
