/**
 * One reading of a host: everything that preflight, prepare, init, logs and the job summary decide from, as a plain
 * value. What could not be read is undefined; nothing here fails.
 */

import { dirname } from 'node:path'
import { NODE } from '../../base/paths.ts'
import { memoryBytes, openFilesLimit, processorCount } from './capacity.ts'
import { containerSign } from './container.ts'
import type { HostFacts } from './facts.ts'
import type { DiskSpace, HostSource, PathKind, RuntimeAnswer } from './host-source.ts'
import { type Kernel, readKernel } from './kernel-features.ts'
import { kernelRelease } from './kernel-modules.ts'
import { CAPABILITIES, effectiveUser, hasCapability, type MachineFacts, readMachineFacts } from './machine.ts'
import { type Mount, parseMounts } from './mount-table.ts'
import { CONTAINERD_CONFIG, isCriDisabled } from './packaged-containerd.ts'
import { closedChains, inputPolicy } from './packet-filter.ts'
import { type PortHolder, portHolders } from './ports.ts'
import { findProgram, PROGRAMS } from './programs.ts'
import { hostFacts } from './read-facts.ts'
import { knowsOwnName, nameServers } from './resolver.ts'
import { type Route, routes4, routes6 } from './routes.ts'
import { selinuxMode } from './selinux-state.ts'
import { type SwapArea, swapAreas } from './swap-state.ts'
import { parseUnits, type Unit, unitsCommand } from './systemd-units.ts'
import { readUnitFiles, type UnitFiles } from './unit-files.ts'

/** What of a host matters to a cluster depends on the cluster. */
export interface HostQuestions {
  readonly ports: readonly number[]
  readonly files: readonly string[]
  /** Folders whose contents matter. */
  readonly folders: readonly string[]
  /** Folders, there or not, for which there has to be room. */
  readonly spaces: readonly string[]
  /** Sockets to be asked besides the known ones, `unix:///...`. */
  readonly sockets: readonly string[]
  /** Whether programs may be asked for their versions: some of them take a tenth of a second. */
  readonly versions: boolean
}

/** Names in a folder; `closed` when it cannot be read. */
export type Folder = readonly string[] | 'absent' | 'closed'

export interface Host {
  readonly facts: HostFacts
  readonly machine: MachineFacts
  /** Effective user. */
  readonly uid: number | undefined
  readonly maySysAdmin: boolean
  /** What gives a container away; undefined on a machine. */
  readonly container: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly now: Date
  /** Name for people in /etc/os-release. */
  readonly osName: string
  readonly processors: number | undefined
  readonly memoryBytes: number | undefined
  readonly openFiles: number | undefined
  /** Instances of inotify in use by all processes that may be looked at. */
  readonly inotifyInUse: number
  readonly swap: readonly SwapArea[]
  readonly kernelRelease: string
  readonly kernel: Kernel
  readonly controllers: readonly string[]
  readonly mounts: readonly Mount[]
  /** By dotted key; undefined when the kernel does not have it. */
  readonly sysctls: Readonly<Record<string, string | undefined>>
  readonly selinux: 'Enforcing' | 'Permissive' | undefined
  readonly appArmor: boolean
  /** Full paths by name. */
  readonly programs: Readonly<Record<string, string | undefined>>
  /** Output of `NAME --version`, where it was asked for. */
  readonly versions: Readonly<Record<string, string | undefined>>
  readonly units: readonly Unit[]
  /** What others have written about a kubelet's service. */
  readonly kubeletUnit: UnitFiles
  /** Policy of iptables' FORWARD chain; undefined when it could not be asked. */
  readonly forwardPolicy: string | undefined
  /** What iptables does with what comes in and no rule lets in; undefined when it could not be asked. */
  readonly inputPolicy: string | undefined
  /** Chains of nftables, as `family table chain`, that drop what comes in and nothing lets in; iptables' own left out. */
  readonly closedChains: readonly string[]
  readonly routes: readonly Route[]
  readonly nameServers: readonly string[]
  /** Text of /etc/hosts. */
  readonly hostsFile: string
  readonly knowsOwnName: boolean
  readonly isCriDisabled: boolean
  readonly cniConfigs: readonly string[]
  /** Names of network interfaces. */
  readonly links: readonly string[]
  readonly runtimes: Readonly<Record<string, RuntimeAnswer>>
  /** What systemd says of the clock; undefined when it does not. */
  readonly isClockSynchronised: boolean | undefined
  /** Answers to the questions. */
  readonly ports: readonly PortHolder[]
  /** Ports that are taken though nobody listens. */
  readonly boundPorts: readonly number[]
  readonly files: Readonly<Record<string, PathKind | undefined>>
  readonly folders: Readonly<Record<string, Folder>>
  readonly spaces: Readonly<Record<string, DiskSpace | undefined>>
}

/** Services that get in the way, or that belong to a cluster. */
const UNITS: readonly string[] = ['kubelet.service', 'firewalld.service', 'docker.service', 'ufw.service']

const SYSCTLS: readonly string[] = [
  'net.ipv4.ip_forward',
  'net.ipv6.conf.all.forwarding',
  'net.ipv6.conf.default.forwarding',
  'net.bridge.bridge-nf-call-iptables',
  'net.bridge.bridge-nf-call-ip6tables',
  'fs.inotify.max_user_instances',
  'fs.inotify.max_user_watches',
  'fs.file-max',
]

/** Reads a host: what needs a process or an answer runs at once, beside the rest. */
export async function readHost(source: HostSource, questions: HostQuestions): Promise<Host> {
  const facts = hostFacts(source)
  const machine = readMachineFacts(source)
  const programs = Object.fromEntries(PROGRAMS.map(name => [name, findProgram(source, name)]))
  const ports = portHolders(source, questions.ports)
  const quietPorts = questions.ports.filter(port => !ports.some(holder => holder.port === port))
  const slow = Promise.all([
    machine.systemd ? outputOf(source, unitsCommand(UNITS)) : undefined,
    outputOf(source, ['iptables', '-S', 'FORWARD']),
    outputOf(source, ['iptables', '-S', 'INPUT']),
    outputOf(source, ['nft', 'list', 'chains']),
    clockState(source, machine, questions.versions),
    versionsOf(source, programs, questions.versions),
    answersOf(source, [...facts.criSockets, ...questions.sockets]),
    Promise.all(quietPorts.map(async port => ((await source.isBound(port)) ? [port] : []))),
  ])
  const quick = readFiles(source, questions)
  const [units, forward, input, chains, isClockSynchronised, versions, runtimes, boundPorts] = await slow
  return {
    ...quick,
    facts,
    machine,
    programs,
    ports,
    units: parseUnits(units ?? ''),
    forwardPolicy: /^-P FORWARD (\S+)$/m.exec(forward ?? '')?.[1],
    inputPolicy: inputPolicy(input ?? ''),
    closedChains: closedChains(chains ?? ''),
    isClockSynchronised,
    versions,
    runtimes,
    boundPorts: boundPorts.flat(),
  }
}

type Slow =
  | 'facts'
  | 'machine'
  | 'programs'
  | 'ports'
  | 'units'
  | 'forwardPolicy'
  | 'inputPolicy'
  | 'closedChains'
  | 'isClockSynchronised'
  | 'versions'
  | 'runtimes'
  | 'boundPorts'

function readFiles(source: HostSource, questions: HostQuestions): Omit<Host, Slow> {
  const read = (path: string): string => source.read(path) ?? ''
  const status = read('/proc/self/status')
  const known = <T>(names: readonly string[], of: (name: string) => T): Record<string, T> =>
    Object.fromEntries(names.map(name => [name, of(name)]))
  return {
    uid: effectiveUser(status),
    maySysAdmin: hasCapability(status, CAPABILITIES.CAP_SYS_ADMIN),
    container: containerSign(source),
    environment: source.environment,
    now: source.now(),
    osName: /^PRETTY_NAME="?([^"\n]*)/m.exec(read('/etc/os-release'))?.[1] ?? 'an unknown system',
    processors: processorCount(status),
    memoryBytes: memoryBytes(read('/proc/meminfo')),
    openFiles: openFilesLimit(read('/proc/self/limits')),
    inotifyInUse: questions.versions ? inotifyInUse(source) : 0,
    swap: swapAreas(read('/proc/swaps')),
    kernelRelease: kernelRelease(source),
    kernel: readKernel(source),
    controllers: controllers(source),
    mounts: parseMounts(read('/proc/self/mountinfo')),
    sysctls: known(SYSCTLS, key => source.read(`/proc/sys/${key.replaceAll('.', '/')}`)?.trim()),
    selinux: selinuxMode(source.read('/sys/fs/selinux/enforce')),
    appArmor: read('/sys/module/apparmor/parameters/enabled').startsWith('Y'),
    routes: [...routes4(read('/proc/net/route')), ...routes6(read('/proc/net/ipv6_route'))],
    nameServers: nameServers(read('/etc/resolv.conf')),
    hostsFile: read('/etc/hosts'),
    knowsOwnName: knowsOwnName(read('/etc/nsswitch.conf')),
    kubeletUnit: readUnitFiles(source, 'kubelet'),
    isCriDisabled: isCriDisabled(read(CONTAINERD_CONFIG)),
    links: source.list('/sys/class/net') ?? [],
    cniConfigs: (source.list(NODE.cniConf) ?? []).filter(name => /\.(conf|conflist|json)$/.test(name)),
    files: known(questions.files, path => source.kind(path)),
    folders: known(questions.folders, path => folderOf(source, path)),
    spaces: known(questions.spaces, path => source.space(nearestFolder(source, path))),
  }
}

async function outputOf(source: HostSource, argv: readonly string[]): Promise<string | undefined> {
  const result = await source.run(argv)
  return result?.exitCode === 0 ? result.stdout : undefined
}

async function clockState(
  source: HostSource,
  { systemd }: MachineFacts,
  mayAsk: boolean,
): Promise<boolean | undefined> {
  // Source: systemd-timesyncd(8).
  if (source.kind('/run/systemd/timesync/synchronized') !== undefined) return true
  if (!systemd || !mayAsk) return undefined
  const answer = await outputOf(source, ['timedatectl', 'show', '--property=NTPSynchronized', '--value'])
  return answer === undefined ? undefined : answer.trim() === 'yes'
}

/** Programs whose versions decide something. */
const VERSIONED: readonly string[] = ['containerd', 'kubelet']

async function versionsOf(
  source: HostSource,
  programs: Readonly<Record<string, string | undefined>>,
  mayAsk: boolean,
): Promise<Record<string, string | undefined>> {
  const asked = mayAsk ? VERSIONED.filter(name => programs[name] !== undefined) : []
  const answers = asked.map(async name => [name, (await outputOf(source, [name, '--version']))?.trim()] as const)
  return Object.fromEntries(await Promise.all(answers))
}

async function answersOf(source: HostSource, sockets: readonly string[]): Promise<Record<string, RuntimeAnswer>> {
  const asked = [...new Set(sockets)].map(async socket => [socket, await source.runtime(socket)] as const)
  return Object.fromEntries(await Promise.all(asked))
}

function controllers(source: HostSource): string[] {
  const unified = source.read('/sys/fs/cgroup/cgroup.controllers')
  if (unified !== undefined) return unified.trim().split(/\s+/)
  // Source: proc_cgroups(5): name, hierarchy, number of groups, whether it is enabled.
  return (source.read('/proc/cgroups') ?? '')
    .split('\n')
    .map(line => line.split('\t'))
    .filter(([name = '', , , enabled]) => !name.startsWith('#') && enabled === '1')
    .map(([name = '']) => name)
}

function inotifyInUse(source: HostSource): number {
  const pids = (source.list('/proc') ?? []).filter(name => /^\d+$/.test(name))
  return pids
    .flatMap(pid => (source.list(`/proc/${pid}/fd`) ?? []).map(descriptor => `/proc/${pid}/fd/${descriptor}`))
    .filter(path => source.link(path) === 'anon_inode:inotify').length
}

function folderOf(source: HostSource, path: string): Folder {
  const names = source.list(path)
  if (names !== undefined) return names
  return source.kind(path) === undefined ? 'absent' : 'closed'
}

function nearestFolder(source: HostSource, path: string): string {
  return path === '/' || source.kind(path) === 'folder' ? path : nearestFolder(source, dirname(path))
}
