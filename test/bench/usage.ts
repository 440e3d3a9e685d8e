/**
 * What a run takes of the machine: processor time, memory, bytes to disks. The whole machine is counted, since what a
 * cluster consists of lies in many control groups, and nothing else runs beside a race; what the race itself takes is not.
 */
import { readFileSync } from 'node:fs'
import { $ } from '../../lib/machine/command.ts'
import type { Reached } from './contestants.ts'

export interface Usage {
  /** What was taken since the beginning. */
  readonly end: () => Promise<Reached>
}

const SAMPLE_MS = 50
/** USER_HZ, the same on every Linux. */
const TICK_MS = 10

/** Begins to count; `pid` is the command that is raced, whose own processor time is told as well. */
export async function openUsage(): Promise<Usage & { readonly follow: (pid: number) => void }> {
  await $`sync`
  const [ticks, written, memory, own] = [busyTicks(), writtenKb(), availableKb(), process.cpuUsage()]
  let [least, followed, command] = [memory, 0, 0]
  const sample = (): void => {
    least = Math.min(least, availableKb())
    command = processTicks(followed) ?? command
  }
  const timer = setInterval(sample, SAMPLE_MS)
  return {
    follow: pid => {
      followed = pid
    },
    end: async () => {
      clearInterval(timer)
      sample()
      const { user, system } = process.cpuUsage(own)
      const busy = (busyTicks() - ticks) * TICK_MS - (user + system) / 1000
      await $`sync`
      return {
        'processor ms': Math.round(busy),
        'peak memory MB': Math.round((memory - least) / 1024),
        'written MB': Math.round((writtenKb() - written) / 1024),
        ...(command > 0 && { 'command processor ms': command * TICK_MS }),
      }
    },
  }
}

function busyTicks(): number {
  const [, ...fields] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/)
  // user nice system idle iowait irq softirq steal; guests are in user. Source: proc(5).
  return fields.slice(0, 8).reduce((sum, field, index) => sum + (index === 3 || index === 4 ? 0 : Number(field)), 0)
}

function availableKb(): number {
  return Number(/MemAvailable:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1])
}

function writtenKb(): number {
  return Number(/^pgpgout (\d+)/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1])
}

/** Of a process alone, without those it has started. */
function processTicks(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return Number(fields[11]) + Number(fields[12])
  } catch {
    return undefined
  }
}
