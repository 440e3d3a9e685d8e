/**
 * Things of a user's that lie where a cluster works: planted before an init, so that a reset which took one of them
 * would be seen. Each is a row: how it comes and how it goes.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

interface UserThing {
  readonly about: string
  readonly plant: readonly Command[]
  readonly remove: readonly Command[]
}

type Command = readonly string[]

const NAMESPACE = 'user-e2e'

/** Files in folders that init fills. */
const FILES: readonly string[] = [
  '/etc/kubernetes/user-notes',
  '/etc/kubernetes/pki/user.crt',
  '/etc/cni/net.d/99-user.conflist.off',
  '/var/lib/kubelet/user-notes',
]

/** Chains named like a cluster's are a user's when they were there before. */
const chain = (iptables: string, table: string, name: string, from: string): UserThing => ({
  about: `${iptables} chain ${name}`,
  plant: [
    [iptables, '-t', table, '-N', name],
    [iptables, '-t', table, '-A', name, '-m', 'comment', '--comment', 'user-e2e', '-j', 'RETURN'],
    [iptables, '-t', table, '-A', from, '-j', name],
  ],
  remove: [
    [iptables, '-t', table, '-D', from, '-j', name],
    [iptables, '-t', table, '-F', name],
    [iptables, '-t', table, '-X', name],
  ],
})

export const USER_THINGS: readonly UserThing[] = [
  chain('iptables', 'filter', 'USER-E2E', 'FORWARD'),
  chain('iptables', 'nat', 'KUBE-USER-E2E', 'PREROUTING'),
  chain('ip6tables', 'filter', 'USER-E2E', 'INPUT'),
  {
    about: 'network namespace',
    plant: [['ip', 'netns', 'add', NAMESPACE]],
    remove: [['ip', 'netns', 'delete', NAMESPACE]],
  },
  {
    about: 'bridge and veth pair, named as CNI would',
    plant: [
      ['ip', 'link', 'add', 'user-e2e0', 'type', 'bridge'],
      ['ip', 'link', 'add', 'veth00e2e000', 'type', 'veth', 'peer', 'name', 'user-e2e1'],
      ['ip', 'link', 'set', 'user-e2e1', 'master', 'user-e2e0'],
    ],
    remove: [
      ['ip', 'link', 'delete', 'veth00e2e000'],
      ['ip', 'link', 'delete', 'user-e2e0'],
    ],
  },
]

/** Puts everything in place; gives what takes it away again. Throws when a command fails. */
export function plantUserThings(): () => void {
  const made: string[] = []
  for (const path of FILES) {
    const top = mkdirSync(dirname(path), { recursive: true })
    if (top !== undefined) made.unshift(top)
    writeFileSync(path, `a user's ${path}\n`)
  }
  for (const { plant } of USER_THINGS) for (const command of plant) run(command)
  const process = spawn('ip', ['netns', 'exec', NAMESPACE, 'sleep', '1000000'], { stdio: 'ignore' })
  process.unref()
  return () => {
    process.kill()
    for (const { remove } of [...USER_THINGS].reverse()) for (const command of remove) run(command)
    for (const path of FILES) rmSync(path, { force: true })
    for (const top of made) rmSync(top, { recursive: true, force: true })
  }
}

function run([command = '', ...args]: Command): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
