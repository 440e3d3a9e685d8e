/** What a real init has to know of the machine beyond the facts that rendering needs. */
import { type HostSource, liveHost } from './host-source.ts'

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

/** Bits in the sets of capabilities. Source: capabilities(7). */
export const CAPABILITIES = { CAP_SYS_ADMIN: 21n, CAP_SYS_RESOURCE: 24n } as const

/** The part of the reading that takes no process and no waiting. */
export function readMachineFacts(source: HostSource = liveHost()): MachineFacts {
  const status = source.read('/proc/self/status') ?? ''
  return {
    root: effectiveUser(status) === 0,
    // sd_booted(3).
    systemd: source.kind('/run/systemd/system') === 'folder',
    cgroupVersion: source.kind('/sys/fs/cgroup/cgroup.controllers') === undefined ? 1 : 2,
    swap: hasSwap(source.read('/proc/swaps') ?? ''),
    mayLowerOomScore: hasCapability(status, CAPABILITIES.CAP_SYS_RESOURCE),
  }
}

/** The effective user in the text of /proc/self/status. */
export function effectiveUser(status: string): number | undefined {
  const uid = /^Uid:\s*\d+\s+(\d+)/m.exec(status)?.[1]
  return uid === undefined ? undefined : Number(uid)
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

/**
 * Whether a runtime can start the static Pods on a machine: they ask for a low OOM score, which runc cannot set without
 * CAP_SYS_RESOURCE, unless the runtime leaves it out. Source: containerd docs/cri/config.md, restrict_oom_score_adj.
 */
export function startsStaticPods(
  { restrictsOomScore }: { readonly restrictsOomScore?: boolean },
  { root, mayLowerOomScore }: Pick<MachineFacts, 'root' | 'mayLowerOomScore'>,
): boolean {
  // What root may do here an ordinary user cannot tell.
  return !root || mayLowerOomScore || restrictsOomScore !== false
}
