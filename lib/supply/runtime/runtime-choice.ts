/** Which runtime an init uses: decided here for a real run, for preflight over what it has read, and for a dry run. */
import type { RuntimeAnswer } from '../../machine/host/host-source.ts'
import { type MachineFacts, startsStaticPods } from '../../machine/host/machine.ts'
import type { Runtime } from './runtime.ts'

/** What --runtime, --cri-socket or criSocket ask for: `auto`, `private`, or a socket as a URL. */
export function wantedRuntime(flag: string | undefined, namedSocket: string | undefined): string {
  const wanted = flag ?? namedSocket ?? 'auto'
  return wanted === 'auto' || wanted === 'private' ? wanted : socketUrl(wanted)
}

/** A socket as a URL; a path becomes one. */
export function socketUrl(socket: string): string {
  return socket.includes('://') ? socket : `unix://${socket}`
}

/** Sockets in the order in which they are tried; a containerd of our own where none of them is taken. */
export interface Candidates {
  readonly sockets: readonly string[]
  /** Whether the socket was asked for: then it has to work. */
  readonly isNamed: boolean
}

export function candidatesOf(wanted: string, knownSockets: readonly string[]): Candidates {
  if (wanted === 'auto') return { sockets: knownSockets, isNamed: false }
  return wanted === 'private' ? { sockets: [], isNamed: false } : { sockets: [wanted], isNamed: true }
}

/** Whether a runtime that answers is taken: one that is only found has to fit the machine. */
export function isTaken(
  runtime: Pick<Runtime, 'restrictsOomScore'>,
  { isNamed }: Candidates,
  machine: Pick<MachineFacts, 'root' | 'mayLowerOomScore'>,
): boolean {
  return isNamed || startsStaticPods(runtime, machine)
}

type Serving = Pick<Exclude<RuntimeAnswer, { fault: string }>, 'name' | 'version' | 'cri'>

/**
 * Why a runtime cannot carry a Kubernetes minor, which speaks v1alpha2 alone before 1.23 and v1 alone from 1.26 on.
 * Source: kubernetes CHANGELOG-1.23 and -1.26.
 */
export function criFault({ name, version, cri }: Serving, minor: number): string | undefined {
  // What answered is the newest that it serves.
  const serves = [cri, ...(name === 'containerd' ? servedBy(version.replace(/^v/, '')) : [])]
  const needed = minor >= 26 ? 'v1' : minor < 23 ? 'v1alpha2' : undefined
  if (needed === undefined || serves.includes(needed)) return undefined
  const other = needed === 'v1' ? 'v1alpha2' : 'v1'
  return `${name} ${version} serves CRI ${other}, and Kubernetes 1.${minor} needs ${needed}`
}

/** What to do about it. */
export const CRI_ADVICE = 'use a containerd that fits, or another --kubernetes-version'

/** CRI versions by containerd's. Source: containerd releases 1.6 (v1) and 2.0 (v1alpha2 removed). */
export function servedBy(containerd: string): ('v1' | 'v1alpha2')[] {
  const [major = 0, minor = 0] = containerd.split('.').map(Number)
  return [...(major < 2 ? ['v1alpha2' as const] : []), ...(major > 1 || minor >= 6 ? ['v1' as const] : [])]
}
