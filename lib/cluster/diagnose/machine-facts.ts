/** What a log bundle tells of the machine: one row per file. */
import { readFileSync } from 'node:fs'
import { arch, cpus, release, totalmem, version } from 'node:os'
import { readMachineFacts } from '../../machine/host/machine.ts'
import { readSysctl, SYSCTLS } from '../../machine/host/sysctl.ts'

export interface MachinePart {
  readonly name: string
  readonly read?: () => string
  /** Commands whose output follows; none of them shows the arguments of processes, which may be secret. */
  readonly commands?: readonly (readonly string[])[]
  /** Of each command's output only so many lines from its end. */
  readonly lastLines?: number
}

export const MACHINE_PARTS: readonly MachinePart[] = [
  { name: 'facts', read: facts },
  {
    name: 'sysctls',
    read: () => SYSCTLS.map(({ key }) => `${key} = ${readSysctl(key) ?? '(the kernel does not have it)'}\n`).join(''),
  },
  { name: 'mounts', read: () => files('/proc/self/mountinfo') },
  { name: 'cgroups', read: () => files('/proc/cgroups', '/proc/self/cgroup', '/sys/fs/cgroup/cgroup.controllers') },
  {
    name: 'memory',
    read: () =>
      files('/proc/meminfo', '/proc/loadavg', '/proc/pressure/cpu', '/proc/pressure/io', '/proc/pressure/memory'),
  },
  { name: 'modules', read: () => files('/proc/modules') },
  {
    name: 'disks',
    commands: [
      ['df', '-Ph'],
      ['df', '-Pi'],
    ],
  },
  { name: 'processes', commands: [['ps', '-eo', 'pid,ppid,stat,etime,time,rss,oom,comm']] },
  {
    name: 'network',
    read: () => files('/etc/resolv.conf', '/etc/hosts'),
    commands: [
      ['ip', '-s', 'address'],
      ['ip', 'route', 'show', 'table', 'all'],
      ['ip', 'rule'],
      ['ip', 'neighbour'],
    ],
  },
  { name: 'ports', commands: [['ss', '-tulpn']], read: () => files('/proc/net/tcp', '/proc/net/tcp6') },
  {
    name: 'firewall',
    commands: [
      ['iptables-save', '-c'],
      ['ip6tables-save', '-c'],
      ['nft', 'list', 'ruleset'],
      ['ipvsadm', '-Ln'],
    ],
  },
  { name: 'kernel-log', commands: [['dmesg']], lastLines: 300 },
]

function facts(): string {
  const all = {
    kernel: `${release()} ${version()}`,
    architecture: arch(),
    processors: cpus().length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    runtime: process.version,
    ...readMachineFacts(),
  }
  return `${JSON.stringify(all, null, 2)}\n\n${files('/etc/os-release')}`
}

/** Files one after the other, under their names; one that is not there is left out. */
function files(...paths: readonly string[]): string {
  return paths.map(fileText).join('')
}

function fileText(path: string): string {
  try {
    return `# ${path}\n${readFileSync(path, 'utf8')}\n`
  } catch {
    return ''
  }
}
