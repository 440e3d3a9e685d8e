/** Values of the running machine that prepare changes: how each is read and set. Undoing sets the former value. */
import { $ } from './command.ts'
import type { HostSource } from './host/host-source.ts'
import { loadedModules } from './host/kernel-modules.ts'
import { selinuxMode } from './host/selinux-state.ts'
import { swapAreas } from './host/swap-state.ts'
import { sysctlFile, writeKernelFile, writeSysctl } from './host/sysctl.ts'

export interface Setting {
  /** What it is, for people; the subject stands behind it. */
  readonly about: string
  /** The present value; undefined when there is no such thing. */
  readonly read: (subject: string, host: HostSource) => Promise<string | undefined>
  /** Takes the words that `read` gives. Throws a KubestepError. */
  readonly write: (subject: string, value: string, root: string) => Promise<void>
  /** Others may keep it from being set back. */
  readonly isHeld?: true
}

export type SettingName =
  | 'sysctl'
  | 'module'
  | 'swap'
  | 'selinux'
  | 'host-name'
  | 'unit'
  | 'firewalld-port'
  | 'firewalld-source'
  | 'ufw'

const ENFORCE = '/sys/fs/selinux/enforce'

/** One row per kind of value. */
export const SETTINGS: Readonly<Record<SettingName, Setting>> = {
  sysctl: {
    about: 'sysctl',
    read: async (key, host) => host.read(sysctlFile(key))?.trim(),
    write: async (key, value) => writeSysctl(key, value),
  },
  module: {
    about: 'kernel module',
    isHeld: true,
    read: async (name, host) =>
      loadedModules(host.read('/proc/modules') ?? '').includes(name) ? 'loaded' : 'not loaded',
    write: async (name, value) => {
      if (value === 'loaded') await $({ what: `prepare: cannot load kernel module "${name}"` })`modprobe ${name}`
      // One that is in use by now stays until the next boot.
      else await $({ nothrow: true })`modprobe -r ${name}`
    },
  },
  swap: {
    about: 'swap on',
    read: async (path, host) => {
      const area = swapAreas(host.read('/proc/swaps') ?? '').find(other => other.path === path)
      return area === undefined ? 'off' : swapWord(area.priority)
    },
    write: async (path, value) => {
      const priority = /^on, priority (\d+)$/.exec(value)?.[1]
      const command = value === 'off' ? ['swapoff', path] : ['swapon', ...(priority ? ['-p', priority] : []), path]
      await $({ what: `prepare: cannot turn swap "${path}" ${value === 'off' ? 'off' : 'on'}` })`${command}`
    },
  },
  selinux: {
    about: 'SELinux mode',
    read: async (_subject, host) => selinuxMode(host.read(ENFORCE)),
    write: async (_subject, value) => writeKernelFile('SELinux mode', ENFORCE, value === 'Enforcing' ? '1' : '0'),
  },
  'host-name': {
    about: 'host name',
    read: async (_subject, host) => host.read(sysctlFile('kernel.hostname'))?.trim(),
    write: async (_subject, value) => writeSysctl('kernel.hostname', value),
  },
  unit: {
    about: 'systemd unit',
    read: async (name, host) =>
      unitState((await host.run(['systemctl', `--root=${host.root}`, 'is-enabled', name]))?.stdout ?? ''),
    write: async (name, value, root) => {
      const verb = value === 'disabled' ? 'disable' : 'enable'
      await $({ what: `prepare: cannot ${verb} "${name}"` })`systemctl --root=${root} --quiet ${verb} ${name}`
    },
  },
  'firewalld-port': {
    about: 'firewalld port',
    read: async (port, host) => firewalldWord(port, await listFirewalld(host, PORTS)),
    write: (port, value) => setFirewalld(value, verb => [`--${verb}-port=${port}`]),
  },
  'firewalld-source': {
    about: 'firewalld trusted addresses',
    read: async (source, host) => firewalldWord(source, await listFirewalld(host, SOURCES)),
    write: (source, value) => setFirewalld(value, verb => ['--zone=trusted', `--${verb}-source=${source}`]),
  },
  ufw: {
    about: 'ufw rule',
    read: async (rule, host) =>
      ufwRules((await host.run(['ufw', 'show', 'added'], FIREWALL_LIMIT_MS))?.stdout ?? '').includes(rule)
        ? 'open'
        : 'closed',
    write: async (rule, value) => {
      const command = value === 'open' ? ['ufw', ...rule.split(' ')] : ['ufw', 'delete', ...rule.split(' ')]
      await $({ what: `prepare: cannot change the firewall with "${command.join(' ')}"` })`${command}`
    },
  },
}

/** What a change is about, e.g. `sysctl net.ipv4.ip_forward`. */
export function settingName({ setting, subject }: { readonly setting: SettingName; readonly subject: string }): string {
  return `${SETTINGS[setting].about}${subject === '' ? '' : ` ${subject}`}`
}

/** How a swap area that is on reads. A negative priority is the kernel's own choice, and cannot be asked for again. */
export function swapWord(priority: number): string {
  return priority < 0 ? 'on' : `on, priority ${priority}`
}

/** Rules in the output of `ufw show added`, without the program's name, e.g. `allow 6443/tcp`. */
export function ufwRules(text: string): string[] {
  return text
    .split('\n')
    .filter(line => line.startsWith('ufw '))
    .map(line =>
      line
        .slice(4)
        .replace(/ comment '.*'$/, '')
        .trim(),
    )
}

function unitState(text: string): string | undefined {
  const state = text.trim()
  return state === 'enabled' || state === 'disabled' ? state : undefined
}

/** firewalld is a Python program, and there may be others: it takes its time. */
const FIREWALL_LIMIT_MS = 20_000

/** What lists the open ports, and the addresses from which everything may come. */
export const PORTS: readonly string[] = ['--list-ports']
export const SOURCES: readonly string[] = ['--zone=trusted', '--list-sources']

/** firewalld has rules for now and rules for its next start. */
const FIREWALLD: readonly { readonly flags: readonly string[]; readonly values: readonly string[] }[] = [
  { flags: [], values: ['open', 'open until its next start'] },
  { flags: ['--permanent'], values: ['open', 'open from its next start on'] },
]

/** What firewalld lists now, and from its next start on; undefined when it does not answer. */
export async function listFirewalld(
  host: HostSource,
  words: readonly string[],
): Promise<readonly (readonly string[])[] | undefined> {
  const lists: string[][] = []
  for (const { flags } of FIREWALLD) {
    const answer = await host.run(['firewall-cmd', ...flags, ...words], FIREWALL_LIMIT_MS)
    if (answer?.exitCode !== 0) return undefined
    lists.push(answer.stdout.split(/\s+/).filter(word => word !== ''))
  }
  return lists
}

/** How one port or address stands in those lists. */
export function firewalldWord(name: string, lists: readonly (readonly string[])[] | undefined): string | undefined {
  if (lists === undefined) return undefined
  const [isNow, isLater] = lists.map(list => list.includes(name))
  if (isNow && isLater) return 'open'
  return isNow ? 'open until its next start' : isLater ? 'open from its next start on' : 'closed'
}

async function setFirewalld(value: string, wordsOf: (verb: string) => readonly string[]): Promise<void> {
  for (const { flags, values } of FIREWALLD) {
    const command = ['firewall-cmd', '--quiet', ...flags, ...wordsOf(values.includes(value) ? 'add' : 'remove')]
    await $({ what: `prepare: cannot change the firewall with "${command.join(' ')}"` })`${command}`
  }
}

/** Whether a firewall runs here: it answers, and says so. */
export async function answers(host: HostSource, command: readonly string[], wanted: RegExp): Promise<boolean> {
  const answer = await host.run(command, FIREWALL_LIMIT_MS)
  return answer?.exitCode === 0 && wanted.test(answer.stdout)
}
