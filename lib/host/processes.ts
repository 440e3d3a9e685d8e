/** Processes of this machine, by what they were started with. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { readTextOrEmpty } from '../files.ts'

/** Pids whose command line has all the given arguments. */
export function processesWith(argv: readonly string[]): number[] {
  return pids().filter(pid => {
    const given = commandLine(pid)
    return given.length > 0 && argv.every(argument => given.includes(argument))
  })
}

/** Pids in a process group, those that have ended left out. */
export function processesInGroup(group: number): number[] {
  return pids().filter(pid => {
    const [state, , own] = statOf(pid)
    return Number(own) === group && state !== 'Z' && state !== 'X'
  })
}

function pids(): number[] {
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

/** What stands behind the command in brackets: state, parent, group. Empty when it is gone. Source: proc(5). */
function statOf(pid: number): string[] {
  const text = readTextOrEmpty(`/proc/${pid}/stat`)
  return text === '' ? [] : (text.split(') ').at(-1)?.split(' ') ?? [])
}
