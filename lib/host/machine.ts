/** What a real init has to know of the machine beyond the facts that rendering needs. */
import { existsSync } from 'node:fs'
import { readTextOrEmpty } from '../files.ts'

export interface MachineFacts {
  readonly root: boolean
  readonly systemd: boolean
  readonly cgroupVersion: 1 | 2
  /** The driver that the runtime uses, where it says so. */
  readonly cgroupDriver?: 'systemd' | 'cgroupfs'
  readonly swap: boolean
  /** CAP_SYS_RESOURCE: whether OOM scores may be lowered. */
  readonly mayLowerOomScore: boolean
}

const CAP_SYS_RESOURCE = 24n

/** Reads the machine. */
export function readMachineFacts(): MachineFacts {
  return {
    root: process.getuid?.() === 0,
    systemd: existsSync('/run/systemd/system'),
    cgroupVersion: existsSync('/sys/fs/cgroup/cgroup.controllers') ? 2 : 1,
    swap: hasSwap(readTextOrEmpty('/proc/swaps')),
    mayLowerOomScore: hasCapability(readTextOrEmpty('/proc/self/status'), CAP_SYS_RESOURCE),
  }
}

/** Whether /proc/swaps names any swap below its heading. */
export function hasSwap(text: string): boolean {
  return text.trim().split('\n').length > 1
}

/** Whether the effective set in /proc/self/status holds a capability. */
export function hasCapability(status: string, capability: bigint): boolean {
  const bits = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1]
  return bits !== undefined && ((BigInt(`0x${bits}`) >> capability) & 1n) === 1n
}
