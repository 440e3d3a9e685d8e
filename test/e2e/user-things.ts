/**
 * Things of a user's that lie where a cluster works: planted before an init (old) and while the cluster is up (new),
 * so that a reset which took one of them would be seen. Each is a row: how it comes and how it goes.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export type Age = 'old' | 'new'

interface UserThing {
  readonly plant: readonly Command[]
  readonly remove: readonly Command[]
}

type Command = readonly string[]

/** Files in folders that init fills: what comes while it has them is the cluster's. */
const FILES: Readonly<Record<Age, readonly string[]>> = {
  old: [
    '/etc/kubernetes/user-notes',
    '/etc/kubernetes/pki/user.crt',
    '/etc/cni/net.d/99-user.conflist.off',
    '/var/lib/kubelet/user-notes',
  ],
  new: [],
}

const chain = (iptables: string, table: string, name: string, from: string): UserThing => ({
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

const namespace = (name: string): UserThing => ({
  plant: [['ip', 'netns', 'add', name]],
  remove: [['ip', 'netns', 'delete', name]],
})

/** A bridge with a veth pair, whose name is as CNI's are: eight hex digits. */
const bridge = (name: string, veth: string): UserThing => ({
  plant: [
    ['ip', 'link', 'add', name, 'type', 'bridge'],
    ['ip', 'link', 'add', veth, 'type', 'veth', 'peer', 'name', `${name}p`],
    ['ip', 'link', 'set', veth, 'master', name],
  ],
  remove: [
    ['ip', 'link', 'delete', veth],
    ['ip', 'link', 'delete', name],
  ],
})

const THINGS: Readonly<Record<Age, readonly UserThing[]>> = {
  old: [
    chain('iptables', 'filter', 'USER-OLD', 'FORWARD'),
    // A chain named like a cluster's is a user's when it was there before.
    chain('iptables', 'nat', 'KUBE-USER-OLD', 'PREROUTING'),
    chain('ip6tables', 'filter', 'USER-OLD', 'INPUT'),
    namespace('user-old'),
    bridge('user-old0', 'veth00e2e000'),
  ],
  new: [
    chain('iptables', 'filter', 'USER-NEW', 'FORWARD'),
    chain('iptables', 'nat', 'USER-NEW', 'POSTROUTING'),
    namespace('user-new'),
    bridge('user-new0', 'veth00e2e001'),
  ],
}

/** Puts everything in place; gives what takes it away again. Both throw when a command fails. */
export function plantUserThings(age: Age): () => void {
  const made: string[] = []
  for (const path of FILES[age]) {
    const top = mkdirSync(dirname(path), { recursive: true })
    if (top !== undefined) made.unshift(top)
    writeFileSync(path, `a user's ${path}\n`)
  }
  for (const { plant } of THINGS[age]) for (const command of plant) run(command)
  const process = spawn('ip', ['netns', 'exec', `user-${age}`, 'sleep', '1000000'], { stdio: 'ignore' })
  process.unref()
  return () => {
    process.kill()
    for (const { remove } of [...THINGS[age]].reverse()) for (const command of remove) run(command)
    for (const path of FILES[age]) rmSync(path, { force: true })
    for (const top of made) rmSync(top, { recursive: true, force: true })
  }
}

function run([command = '', ...args]: Command): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
