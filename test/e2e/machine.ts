/** The machine under test: whether a cluster can be brought up on it, and one test file at a time. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError } from '../../lib/base/errors.ts'
import { hasCapability } from '../../lib/machine/host/machine.ts'
import { takeLock } from '../../lib/machine/machine-lock.ts'
import { findTargets, type Targets } from './targets.ts'

const CAPABILITIES: readonly (readonly [name: string, number: bigint])[] = [
  ['CAP_NET_ADMIN', 12n],
  ['CAP_SYS_ADMIN', 21n],
]

/** Ports of a control plane. */
const PORTS: readonly number[] = [2379, 2380, 6443, 10250, 10257, 10259]

const LOCK = '/run/kubestep-e2e/lock'

/** Takes the machine for this process and finds what can be brought up on it; the tests that cannot run say why. */
export async function openMachine(): Promise<Targets> {
  const never = unfit()
  if (never !== undefined) return { targets: [], skipped: [never] }
  await lockMachine()
  const now = await inUse()
  return now === undefined ? findTargets() : { targets: [], skipped: [now] }
}

/** Why no cluster can run here at all; undefined when it can. */
function unfit(): string | undefined {
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
  return undefined
}

/** What is in the way of a cluster at the moment. */
async function inUse(): Promise<string | undefined> {
  if (existsSync('/etc/kubernetes/admin.conf')) return 'there is a cluster on this machine (/etc/kubernetes/admin.conf)'
  for (const port of PORTS) if (await isTaken(port)) return `port ${port} is taken: a cluster or an etcd runs here`
  return undefined
}

// Test runners start several files at once. The lock goes with this process.
async function lockMachine(): Promise<void> {
  for (;;) {
    try {
      process.once('exit', takeLock(LOCK, 'test'))
      return
    } catch (error) {
      if (!(error instanceof KubestepError && error.message.includes('is at work'))) throw error
    }
    await sleep(500)
  }
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
