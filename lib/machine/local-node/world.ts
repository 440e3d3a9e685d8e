/**
 * The world of a node on this machine: namespaces for network, mounts, host name, processes and what they share, kept by
 * a first process that does nothing but wait for those that nobody else waits for. When it ends, everything in there does.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KubestepError } from '../../base/errors.ts'
import { LAYOUT } from '../../base/paths.ts'
import { startDetached, which } from '../command.ts'
import { readTextOrEmpty, writeFiles } from '../files.ts'
import { parseMounts } from '../host/mount-table.ts'
import { readMountinfo } from '../host/mounts.ts'
import { childrenOf } from '../host/processes.ts'
import { startTime } from '../host/start-time.ts'
import { GIVEN_ADDRESSES } from '../network/given-addresses.ts'
import { makeGroups } from './local-groups.ts'
import {
  type LocalMount,
  type LocalNode,
  NODE_FOLDERS,
  nodeFolder,
  nodeRunFolder,
  placeOfNode,
  runOfNode,
  stateOfNode,
} from './local-node.ts'
import { makeMountPoint } from './mount-point.ts'

/** Joins control groups, given before `--`, and becomes the command behind it. */
const JOIN_GROUPS = 'while [ "$1" != -- ]; do echo $$ >"$1" || exit 1; shift; done; shift; exec "$@"'

/**
 * What the first process does: NAME, WORK, what is mounted below /sys, `--`, and pairs of what is bound and where. A sysfs
 * shows the network of who mounted it, so there is a new one, with what was mounted in the old. Then it says that it is
 * ready and waits, until it is told to end, as all are when the machine goes down: that would wait for it. The text holds
 * no value: all of them are arguments.
 */
const FIRST = `set -e
hostname "$1"; work=$2; shift 2
ip link set lo up
mount --rbind /sys "$work"
mount -t sysfs sysfs /sys
while [ "$1" != -- ]; do mount --rbind "$work$1" "/sys$1"; shift; done
shift
umount --recursive --lazy "$work"
mount --make-rshared /
while [ $# -gt 0 ]; do mount --rbind "$1" "$2"; [ "$3" = rw ] || mount -o remount,bind,ro "$2"; shift 3; done
echo ready >/run/ready
trap 'exit 0' TERM
trap : INT HUP
while :; do sleep 2147483647 & wait; done`

/** How long the first process may take to set its world up; it takes well below a second. */
const READY_LIMIT_MS = 20_000

/** Starts the world of a node; gives the node with its first process. Throws a KubestepError with what it said. */
export async function openWorld(node: LocalNode): Promise<LocalNode> {
  const { name } = node
  const folder = nodeFolder(name)
  const run = nodeRunFolder(name)
  rmSync(run, { recursive: true, force: true })
  // The agent watches for addresses of Pods from the first on.
  for (const path of [run, join(folder, 'sys'), stateOfNode(name, GIVEN_ADDRESSES)])
    mkdirSync(path, { recursive: true, mode: 0o755 })
  for (const [own, place] of NODE_FOLDERS) {
    for (const path of [join(folder, own), place]) mkdirSync(path, { recursive: true, mode: 0o755 })
  }
  const given = givenMounts(node)
  for (const { from, to } of given) makeMountPoint(from, to)
  const files = worldFiles(node)
  writeFiles(
    '/',
    files.map(({ path, content }) => ({ path, mode: 0o644, content })),
  )
  const bindings = [
    ...files.flatMap(({ path, place }) => (place === undefined ? [] : [[path, place, 'rw']])),
    ...given.map(({ from, to, readOnly }) => [from, to, readOnly ? 'ro' : 'rw']),
    ...NODE_FOLDERS.map(([own, place]) => [join(folder, own), place, 'rw']),
  ]
  // The last but for the state's, which hides where all of them lie.
  bindings.splice(-1, 0, [run, '/run', 'rw'])
  const log = join(folder, 'log', 'world.log')
  const outer = startDetached(
    [
      ...['/bin/sh', '-c', JOIN_GROUPS, 'sh', ...makeGroups(name), '--'],
      ...[which('unshare') ?? 'unshare', '--net', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child'],
      ...['--mount-proc', '--propagation', 'slave', '/bin/sh', '-c', FIRST, 'sh'],
      ...[name, join(folder, 'sys'), ...mountedInSys(), '--', ...bindings.flat()],
    ],
    log,
  )
  for (let waited = 0; waited < READY_LIMIT_MS; waited += 10) {
    if (existsSync(join(run, 'ready'))) {
      const [pid = 0] = childrenOf(outer)
      return { ...node, process: { pid, started: startTime(pid) ?? '' } }
    }
    if (startTime(outer) === undefined) break
    await sleep(10)
  }
  throw new KubestepError(
    `node: cannot start node "${name}": ${readTextOrEmpty(log).trim().split('\n').at(-1)}; see "${log}"`,
  )
}

/**
 * What its user gives it, and where on this machine that is bound before the node's own folders hide it: in those, where
 * it belongs to one of them. What both see at the same place is there.
 */
function givenMounts({ name, mounts = [] }: LocalNode): LocalMount[] {
  return mounts.flatMap(mount => {
    const path = mount.to.replace(/^\/var\/run\//, '/run/')
    const own = path.startsWith('/run/') ? runOfNode(name, path) : placeOfNode({ name }, path)
    return own === undefined && mount.from === mount.to && !mount.readOnly ? [] : [{ ...mount, to: own ?? path }]
  })
}

interface WorldFile {
  readonly path: string
  /** What it is bound over; absent where its folder is. */
  readonly place?: string
  readonly content: string
}

/** Who the node is, and which name servers it asks. */
function worldFiles(node: LocalNode): WorldFile[] {
  const { name, addresses } = node
  const own = (file: string): string => join(nodeFolder(name), file)
  const known = readTextOrEmpty('/etc/hosts').split('\n').filter(isElsewhere)
  const named = addresses.map(address => `${address} ${name}`)
  const hosts = ['127.0.0.1 localhost', '::1 localhost', ...named, ...known, '']
  return [
    { path: own('hostname'), place: '/etc/hostname', content: `${name}\n` },
    { path: own('hosts'), place: '/etc/hosts', content: hosts.join('\n') },
    // A number of its own, and the same one each time.
    { path: own('machine-id'), place: '/etc/machine-id', content: `${machineId(name)}\n` },
    { path: stateOfNode(name, LAYOUT.localNode), content: `${JSON.stringify(node, null, 2)}\n` },
    ...resolverFiles(name),
  ].filter(({ place }: WorldFile) => place === undefined || existsSync(place))
}

// What a name of the loopback interface stands for is another one in each network.
function isElsewhere(line: string): boolean {
  return /^\s*[\da-f]/i.test(line) && !/^\s*(?:127\.|::1\s)/.test(line)
}

/** Where systemd-resolved has the servers that it asks itself: its own address is this machine's loopback. */
const RESOLVED = '/run/systemd/resolve/resolv.conf'

function resolverFiles(name: string): WorldFile[] {
  const place = realpathSync('/etc/resolv.conf')
  const content = readTextOrEmpty(existsSync(RESOLVED) ? RESOLVED : place)
  const inRun = [...new Set([place, ...(existsSync(RESOLVED) ? [RESOLVED] : [])])].filter(path =>
    path.startsWith('/run/'),
  )
  return [
    ...inRun.map(path => ({ path: join(nodeRunFolder(name), path.slice('/run'.length)), content })),
    ...(place.startsWith('/run/') ? [] : [{ path: join(nodeFolder(name), 'resolv.conf'), place, content }]),
  ]
}

function machineId(name: string): string {
  return createHash('sha256')
    .update(`${readTextOrEmpty('/etc/machine-id').trim()} ${name}`)
    .digest('hex')
    .slice(0, 32)
}

/** What is mounted below /sys but sysfs itself, e.g. `/fs/cgroup`; what is deeper comes along. */
function mountedInSys(): string[] {
  const points = parseMounts(readMountinfo())
    .filter(({ type, point }) => type !== 'sysfs' && point.startsWith('/sys/'))
    .map(({ point }) => point)
  const tops = points.filter(point => !points.some(other => point.startsWith(`${other}/`)))
  return [...new Set(tops)].map(point => point.slice('/sys'.length))
}

/** A command that runs another one in the world of a node, as one of its processes. */
export function inWorld({ name, process }: LocalNode, command: readonly string[]): string[] {
  return [
    ...['/bin/sh', '-c', JOIN_GROUPS, 'sh', ...makeGroups(name), '--'],
    ...[
      which('nsenter') ?? 'nsenter',
      '--target',
      String(process?.pid ?? ''),
      '--net',
      '--mount',
      '--uts',
      '--ipc',
      '--pid',
    ],
    ...['--', ...command],
  ]
}
