/** What a cluster can leave behind on a machine, read so that two moments can be compared. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { OWN_MACHINE } from './systemd-machine.ts'

/** By aspect: one line for each thing that is there. */
export type MachineState = Readonly<Record<string, readonly string[]>>

interface Aspect {
  readonly name: string
  readonly read: () => readonly string[]
}

/** Folders whose names are compared, and how deep; below /etc contents too. */
const FOLDERS: readonly (readonly [path: string, depth: number])[] = [
  ['/etc', 12],
  ['/opt/cni', 4],
  ['/opt/containerd', 4],
  ['/root', 2],
  ['/run', 6],
  ['/tmp', 1],
  ['/usr/libexec', 6],
  ['/usr/local', 3],
  ['/var/lib', 6],
  ['/var/log', 6],
]

/** What other programs of a machine change at any time. */
const VOLATILE: readonly RegExp[] = [
  /^\/etc\/(mtab|ld\.so\.cache|resolv\.conf)/,
  // kubectl keeps what it has found out about a cluster.
  /^\/root\/\.(cache|npm|local|config|node_repl|bash|kube)/,
  /^\/run\/(lock|log|udev|user|utmp|sudo|dbus|mount|credentials|xtables\.lock)/,
  // Sockets and logins of services that run.
  /^\/run\/systemd\/(ask-password|inhibit|journal\/streams|netif|sessions|shutdown|users)\//,
  /^\/tmp\/(?!kubestep-(init|reset|images|download))/,
  /^\/var\/lib\/(apt|dpkg|systemd|docker|private|logrotate|ucf)/,
  // Logs of a failed init are meant to stay.
  /^\/var\/log\/kubestep-logs-/,
  /^\/var\/log\/(apt|journal|dpkg|wtmp|btmp|syslog|lastlog|unattended)/,
]

const UNITS: readonly string[] = ['--no-legend', '--no-pager', '--full']

/** Devices, logins, and services that end by themselves: they come and go with time, wherever they are named. */
const FLEETING =
  /\.device\b|\b(session-\d|user@\d|user-\d|user-runtime-dir@|run-user-\d|apt-daily|systemd-tmpfiles-clean|systemd-(hostnamed|localed|timedated))/

/** Kernel settings that count something. */
const COUNTERS =
  /^(fs\/(dentry-state|inode|file-nr|aio-nr|quota|binfmt_misc)|kernel\/(random|ns_last_pid|pty\/nr|perf_|sched_domain|keys\/gc)|net\/netfilter\/nf_conntrack_count|vm\/(stat_refresh|compact|drop_caches))|\/stable_secret$/

/** On a machine that was made for tests nothing else comes and goes: everything counts. */
const ALONE: boolean = process.env[OWN_MACHINE] !== undefined

/** Control groups of kubelets, runtimes and containers. */
const CLUSTER_GROUP = /kube|k8s|cri-|containerd|[0-9a-f]{64}/

/** A path of ours in a command line. */
const OWN_PATH = /(^|=)\/(var\/lib|var\/log|run)\/kubestep\//

/** What runs only in a cluster. Runtimes are known by their paths: others have some, too. */
const PROGRAMS = /^(kubelet|kube-.+|etcd|coredns|pause)$/

export const ASPECTS: readonly Aspect[] = [
  { name: 'file', read: () => FOLDERS.flatMap(([path, depth]) => walk(path, depth)) },
  { name: 'mount', read: mounts },
  { name: 'process', read: processes },
  { name: 'link', read: () => readdirSync('/sys/class/net') },
  { name: 'address', read: () => output('ip', '-o', 'address').map(line => line.replace(/^\d+: |\\.*/g, '')) },
  { name: 'route', read: () => output('ip', 'route', 'show', 'table', 'all') },
  { name: 'route rule', read: () => output('ip', 'rule') },
  { name: 'network namespace', read: networkNamespaces },
  { name: 'iptables rule', read: () => rules('iptables-save') },
  { name: 'ip6tables rule', read: () => rules('ip6tables-save') },
  { name: 'nftables rule', read: () => nftTables() },
  { name: 'ipset', read: () => output('ipset', 'list', '-n') },
  { name: 'sysctl', read: () => sysctls('/proc/sys') },
  { name: 'control group', read: () => controlGroups('/sys/fs/cgroup') },
  {
    name: 'unit',
    read: () => output('systemctl', ...UNITS, 'list-units', '--all', '--plain').map(squeeze),
  },
  { name: 'unit file', read: () => output('systemctl', ...UNITS, 'list-unit-files').map(squeeze) },
  { name: 'kernel module', read: () => lines('/proc/modules').map(line => line.split(' ')[0] ?? '') },
]

/** The machine as it is now. */
export function readMachineState(): MachineState {
  return Object.fromEntries(
    ASPECTS.map(({ name, read }) => [
      name,
      read()
        .filter(line => !FLEETING.test(line))
        .sort(),
    ]),
  )
}

/** What has come (`+`) and what has gone (`-`), as `+ file /etc/x`. */
export function difference(before: MachineState, after: MachineState): string[] {
  return ASPECTS.flatMap(({ name }) => {
    const [old, now] = [before[name] ?? [], after[name] ?? []]
    const [had, has] = [new Set(old), new Set(now)]
    return [
      ...old.filter(line => !has.has(line)).map(line => `- ${name} ${line}`),
      ...now.filter(line => !had.has(line)).map(line => `+ ${name} ${line}`),
    ]
  })
}

/** So many looks, half a second apart: systemd takes in one after the other what has been unmounted, and reaps later. */
const LOOKS = 30

/** What has come and gone since then, once the machine has come to rest; some of it at most. */
export async function changesSince(
  before: MachineState,
  ignored: (line: string) => boolean = () => false,
): Promise<string[]> {
  for (let look = 1; ; look++) {
    const lines = difference(before, readMachineState()).filter(line => !ignored(line))
    if (lines.length === 0 || look === LOOKS) return lines.slice(0, 50)
    await sleep(500)
  }
}

/** How many things there are of each kind. */
export function sizes(state: MachineState): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(state).map(([name, things]) => [name, things.length]))
}

function walk(path: string, depth: number): string[] {
  if (VOLATILE.some(pattern => pattern.test(path))) return []
  try {
    const about = lstatSync(path)
    const head = `${path} ${about.mode.toString(8)} ${about.uid}:${about.gid}`
    if (about.isSymbolicLink()) return [`${head} -> ${readlinkSync(path)}`]
    if (!about.isDirectory()) return [path.startsWith('/etc/') ? `${head} ${contentOf(path)}` : head]
    return [head, ...(depth === 0 ? [] : readdirSync(path).flatMap(name => walk(join(path, name), depth - 1)))]
  } catch {
    // It went away while we looked.
    return []
  }
}

function contentOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12)
}

// What is mounted below /tmp is the business of other programs.
function mounts(): string[] {
  return lines('/proc/self/mountinfo')
    .map(mountOf)
    .filter(line => !line.startsWith('/tmp/'))
}

// Where, what and whether it is shared; not the numbers, which are given out anew.
function mountOf(line: string): string {
  const fields = line.split(' ')
  const separator = fields.indexOf('-')
  const shared = fields.slice(6, separator).map(field => field.replace(/:\d+/, ''))
  return [fields[4], fields[5], ...shared, ...fields.slice(separator + 1)].join(' ')
}

function processes(): string[] {
  return pids().flatMap(pid => {
    const argv = text(`/proc/${pid}/cmdline`).split('\0').slice(0, -1)
    const group = /(kubepods|kubestep|k8s\.io)/.test(text(`/proc/${pid}/cgroup`))
    const ours = PROGRAMS.test(basename(argv[0] ?? '')) || argv.some(word => OWN_PATH.test(word))
    // What has ended and waits to be reaped has no command line.
    return argv.length > 0 && (ALONE || ours || group) ? [`${pid} ${argv.join(' ')}`] : []
  })
}

function squeeze(line: string): string {
  return line.trim().replace(/\s+/g, ' ')
}

// By name: mounts and processes that hold others are seen as such, and other programs have some, too.
function networkNamespaces(): readonly string[] {
  return existsSync('/run/netns') ? readdirSync('/run/netns') : []
}

// Tables without rules come from merely asking; counters count.
function rules(command: string): string[] {
  let table = ''
  return output(command).flatMap(line => {
    if (line.startsWith('*')) table = line
    const rule = line.replace(/ ?\[\d+:\d+\]/, '')
    return /^([*#]|COMMIT|:\S+ ACCEPT$)/.test(rule) ? [] : [`${table} ${rule}`]
  })
}

function nftTables(): string[] {
  const builtin = /^table ip6? (filter|nat|mangle|raw|security)$/
  return output('nft', 'list', 'tables').filter(line => !builtin.test(line))
}

function sysctls(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (COUNTERS.test(path.slice('/proc/sys/'.length))) return []
    return entry.isDirectory() ? sysctls(path) : [`${path.slice('/proc/sys/'.length)} = ${text(path).trim()}`]
  })
}

// By name: other programs of a machine have some, too.
function controlGroups(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => join(folder, name))
    .flatMap(path => [...(ALONE || CLUSTER_GROUP.test(path) ? [path] : []), ...controlGroups(path)])
}

function pids(): string[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name))
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function lines(path: string): string[] {
  return text(path).trim().split('\n').filter(Boolean)
}

function output(command: string, ...args: readonly string[]): string[] {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\n')
      .map(line => line.trimEnd())
      .filter(Boolean)
  } catch {
    // Not on this machine.
    return []
  }
}
