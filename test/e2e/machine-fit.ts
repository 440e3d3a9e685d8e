/** Whether a cluster can be brought up on this machine at all; the tests that cannot run say why. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { hasCapability } from '../../lib/host/machine.ts'

const CAPABILITIES: readonly (readonly [name: string, number: bigint])[] = [
  ['CAP_NET_ADMIN', 12n],
  ['CAP_SYS_ADMIN', 21n],
]

/** Ports of a control plane. */
const PORTS: readonly number[] = [2379, 2380, 6443, 10250, 10257, 10259]

/** Why not; undefined when it can. */
export async function unfit(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `a cluster needs Linux, this is ${process.platform}`
  if (process.getuid?.() !== 0) return 'a cluster needs root'
  const status = readFileSync('/proc/self/status', 'utf8')
  const missing = CAPABILITIES.filter(([, number]) => !hasCapability(status, number)).map(([name]) => name)
  if (missing.length > 0) return `root has no ${missing.join(' and ')} here: an unprivileged container`
  try {
    accessSync('/sys/fs/cgroup', constants.W_OK)
  } catch {
    return '/sys/fs/cgroup cannot be written here'
  }
  if (existsSync('/etc/kubernetes/admin.conf')) return 'there is a cluster on this machine (/etc/kubernetes/admin.conf)'
  for (const port of PORTS) if (await isTaken(port)) return `port ${port} is taken: a cluster or an etcd runs here`
  return undefined
}

function isTaken(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
