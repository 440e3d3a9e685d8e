/** Whether this is a container rather than a machine of its own. */
import type { HostSource } from './host-source.ts'

/** PROC_PID_INIT_INO of the kernel's proc_ns.h: the number of the first namespace of processes. */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]'

/**
 * What gives a container away, in words; undefined on a machine. A file that container engines leave proves nothing by
 * itself, as images of machines are made from images of containers; a namespace of processes of its own does, but on
 * WSL, where every distribution has one.
 */
export function containerSign(source: Pick<HostSource, 'read' | 'kind' | 'link' | 'environment'>): string | undefined {
  const namespace = source.link('/proc/self/ns/pid')
  const isWsl = /microsoft/i.test(source.read('/proc/sys/kernel/osrelease') ?? '')
  if (namespace === undefined || namespace === FIRST_PID_NAMESPACE || isWsl) return undefined
  const engine = source.read('/run/systemd/container')?.trim()
  if (engine !== undefined && engine !== '') return engine
  if (source.kind('/run/.containerenv') !== undefined) return 'podman'
  if (source.kind('/.dockerenv') !== undefined) return 'docker'
  return 'it has a namespace of processes of its own'
}
