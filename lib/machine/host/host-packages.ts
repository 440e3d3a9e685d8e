/** Programs that a cluster needs of the machine, the packages that carry them, and the managers that install those. */
import type { HostSource } from './host-source.ts'

export type ManagerName = 'apt' | 'dnf' | 'yum' | 'apk'

export interface PackageManager {
  readonly name: ManagerName
  readonly program: string
  /** What makes its lists of packages fresh, where installing does not do that by itself. */
  readonly refresh?: readonly string[]
  /** Takes names of packages at its end, and asks nothing. */
  readonly install: readonly string[]
  /**
   * Says what installing would do; what it would take away stands in the first group of each match of `removal`. Asked
   * before, unless installing refuses that by itself.
   */
  readonly trial?: { readonly command: readonly string[]; readonly removal: RegExp; readonly refuses?: true }
  readonly remove: string
  readonly environment?: Readonly<Record<string, string>>
}

const APT: readonly string[] = ['apt-get', 'install', '--no-install-recommends']
const KEEPING_SETTINGS: readonly string[] = ['confdef', 'confold'].flatMap(how => [
  '-o',
  `Dpkg::Options::=--force-${how}`,
])
const NO_OBSOLETES = '--setopt=obsoletes=0'

/** In the order in which they are looked for: a machine may have a yum that is a dnf. */
export const PACKAGE_MANAGERS: readonly PackageManager[] = [
  {
    name: 'apt',
    program: 'apt-get',
    refresh: ['apt-get', 'update', '-qq'],
    // Files of settings that somebody has changed stay as they are, and nothing asks about them.
    install: [...APT, '-y', '-qq', '--no-remove', '-o', 'DPkg::Lock::Timeout=60', ...KEEPING_SETTINGS],
    trial: { command: [...APT, '--simulate'], removal: /^Remv (\S+)/gm, refuses: true },
    remove: 'apt-get remove',
    environment: { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' },
  },
  // These take away only what a new package says it stands for. Source: dnf.conf(5), yum.conf(5).
  { name: 'dnf', program: 'dnf', install: ['dnf', 'install', '-y', '-q', NO_OBSOLETES], remove: 'dnf remove' },
  { name: 'yum', program: 'yum', install: ['yum', 'install', '-y', '-q', NO_OBSOLETES], remove: 'yum remove' },
  {
    name: 'apk',
    program: 'apk',
    install: ['apk', 'add', '--quiet'],
    trial: { command: ['apk', 'add', '--simulate'], removal: /\) Purging (\S+)/g },
    remove: 'apk del',
  },
]

export interface HostProgram {
  /** Looked for on the PATH; the first is the row's name. */
  readonly programs: readonly string[]
  readonly why: string
  /** First release whose kubeadm does not look for it any more; an init of ours does without it. */
  readonly until?: string
  readonly packages: Readonly<Record<'apt' | 'dnf' | 'apk', readonly string[]>>
}

/**
 * Names of packages per manager; yum has dnf's. Source: packages of Debian 12, Ubuntu 24.04, Fedora 42 and Alpine 3.22.
 * `until`: kubernetes/kubernetes pull requests 127151 and 129131. RHEL has containerd only as containerd.io in Docker's repository, which is not ours to add.
 */
export const HOST_PROGRAMS: readonly HostProgram[] = [
  {
    programs: ['containerd', 'ctr'],
    why: 'runs containers, where no other runtime serves CRI',
    packages: { apt: ['containerd'], dnf: ['containerd'], apk: ['containerd', 'containerd-ctr'] },
  },
  { programs: ['runc'], why: 'starts containers for containerd', packages: every('runc') },
  {
    programs: ['iptables'],
    why: "the kubelet's and our own firewall rules",
    packages: every('iptables'),
  },
  {
    programs: ['nft'],
    why: 'enforces NetworkPolicies, and takes away what kube-proxy leaves in mode nftables',
    packages: every('nftables'),
  },
  { programs: ['ipset'], why: 'takes away what kube-proxy leaves in mode ipvs', packages: every('ipset') },
  { programs: ['ipvsadm'], why: 'shows and takes away virtual servers of mode ipvs', packages: every('ipvsadm') },
  {
    programs: ['conntrack'],
    why: 'shows and drops tracked connections',
    until: '1.32',
    packages: { apt: ['conntrack'], dnf: ['conntrack-tools'], apk: ['conntrack-tools'] },
  },
  { programs: ['modprobe'], why: 'loads kernel modules', packages: every('kmod') },
  {
    programs: ['ip'],
    why: 'takes away network interfaces',
    packages: { apt: ['iproute2'], dnf: ['iproute'], apk: ['iproute2'] },
  },
  {
    programs: ['mount', 'umount'],
    why: 'volumes of Pods',
    packages: { apt: ['mount'], dnf: ['util-linux'], apk: ['util-linux'] },
  },
  {
    programs: ['losetup'],
    why: 'block volumes of Pods',
    packages: { apt: ['mount'], dnf: ['util-linux'], apk: ['losetup'] },
  },
  { programs: ['socat'], why: 'port-forward with old runtimes', until: '1.28', packages: every('socat') },
  { programs: ['ebtables'], why: 'hairpin mode of old kubelets', until: '1.28', packages: every('ebtables') },
  { programs: ['ethtool'], why: 'hairpin mode of old kubelets', until: '1.33', packages: every('ethtool') },
]

/** The CNI plugins are no programs on the PATH: whoever knows their folders says whether they are missing. */
export const CNI_PLUGINS: HostProgram = {
  programs: ['cni-plugins'],
  why: 'the Pod network',
  packages: { apt: ['containernetworking-plugins'], dnf: ['containernetworking-plugins'], apk: ['cni-plugins'] },
}

function every(name: string): HostProgram['packages'] {
  return { apt: [name], dnf: [name], apk: [name] }
}

/** Where programs lie that the machine's own PATH may leave out. */
const PROGRAM_FOLDERS: readonly string[] = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
]

/** Whether a host has a program. */
export function hasProgram(host: HostSource, program: string): boolean {
  const folders = [...(host.environment.PATH ?? '').split(':'), ...PROGRAM_FOLDERS]
  return folders.some(folder => folder.startsWith('/') && host.kind(`${folder}/${program}`) === 'file')
}

/** Rows of which a host lacks a program; `wanted` are names of rows. */
export function missingPrograms(host: HostSource, wanted: readonly string[]): HostProgram[] {
  return HOST_PROGRAMS.filter(
    ({ programs }) => wanted.includes(programs[0] ?? '') && programs.some(program => !hasProgram(host, program)),
  )
}

/** The manager of a host's packages; undefined when it has none of ours. */
export function packageManager(host: HostSource): PackageManager | undefined {
  return PACKAGE_MANAGERS.find(({ program }) => hasProgram(host, program))
}

/** Packages that carry the programs, in the manager's names, each once. */
export function packagesOf(rows: readonly HostProgram[], manager: PackageManager): string[] {
  const column = manager.name === 'yum' ? 'dnf' : manager.name
  return [...new Set(rows.flatMap(({ packages }) => packages[column]))]
}
