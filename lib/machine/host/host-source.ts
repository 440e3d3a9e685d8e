/**
 * Where facts of a host come from: this machine, or a recorded tree of another one. Whoever reads a host takes a
 * source, so that every verdict can be tried on every machine. Nothing here fails: what cannot be read is undefined.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats, statfsSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { hostname, networkInterfaces } from 'node:os'
import type { ProcessOutput } from 'zx/core'
import { $, which } from '../command.ts'
import { isInCustody } from '../file-custody.ts'
import { below } from '../files.ts'
import type { InterfaceAddress } from './addresses.ts'

/** What a path is, links followed; `link` is one that leads nowhere. */
export type PathKind = 'file' | 'folder' | 'socket' | 'link' | 'other'

/** Of the file system that a path lies on. */
export interface DiskSpace {
  readonly bytes: number
  /** What an ordinary process may still fill. */
  readonly freeBytes: number
}

/** A container runtime as it describes itself, or why it does not. */
export type RuntimeAnswer =
  | {
      readonly name: string
      readonly version: string
      readonly cri: 'v1' | 'v1alpha2'
      /** undefined when it cannot tell (CRI RuntimeConfig). */
      readonly cgroupDriver?: 'systemd' | 'cgroupfs'
      /** As Runtime has it. */
      readonly restrictsOomScore?: boolean
      readonly cniConfDir: string
    }
  | { readonly fault: string }

/** How a command ended, and what it said. */
export type CommandResult = Pick<ProcessOutput, 'exitCode' | 'stdout' | 'stderr'>

export interface HostSource {
  /** `/` for the machine itself. Paths given to the functions below are those on the host, without it. */
  readonly root: string
  /** Text of a file; what ends in `.gz` comes unpacked. Undefined when it is not there or not ours to read. */
  readonly read: (path: string) => string | undefined
  /** Names in a folder, sorted. */
  readonly list: (path: string) => readonly string[] | undefined
  readonly kind: (path: string) => PathKind | undefined
  /** Whether nobody but root can change what lies there; of this machine alone. */
  readonly isRoots?: (path: string) => boolean
  /** Where a symbolic link points to, as it stands there. */
  readonly link: (path: string) => string | undefined
  /** Space on the file system of a path that exists. */
  readonly space: (path: string) => DiskSpace | undefined
  /** Runs a command to its end (at most two seconds, unless said); undefined when there is no such command. */
  readonly run: (argv: readonly string[], timeoutMs?: number) => Promise<CommandResult | undefined>
  /** What serves CRI at a socket (`unix:///...`). */
  readonly runtime: (socket: string) => Promise<RuntimeAnswer>
  /** Whether a TCP port is bound by somebody who does not listen: that stands in no table of the kernel. */
  readonly isBound: (port: number) => Promise<boolean>
  /** As the kernel has it. */
  readonly hostName: () => string
  readonly addresses: () => readonly InterfaceAddress[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** By the host's clock. */
  readonly now: () => Date
}

/** For commands, and for runtimes as kubeadm has it. */
export const COMMAND_TIMEOUT_MS = 2000

/** Belongs to the running kernel and its services, whatever folder the files of a cluster are kept below. */
const OF_THE_KERNEL = /^\/(proc|sys|dev|run\/systemd)(\/|$)/

/** This machine; with a `root`, its files are looked for below that folder. Most readers leave runtimes alone. */
export function liveHost(root = '/', askRuntime: HostSource['runtime'] = leaveRuntime): HostSource {
  const at = (path: string): string => (OF_THE_KERNEL.test(path) ? path : below(root, path))
  return {
    root,
    ...filesAt(at),
    ...(root === '/' && { isRoots: (path: string) => isInCustody(path) }),
    space: path => {
      const found = quietly(() => statfsSync(at(path)))
      return found && { bytes: found.blocks * found.bsize, freeBytes: found.bavail * found.bsize }
    },
    run: async (argv, timeoutMs = COMMAND_TIMEOUT_MS) =>
      which(argv[0] ?? '') === undefined ? undefined : await $({ nothrow: true, timeout: timeoutMs })`${argv}`,
    runtime: askRuntime,
    isBound,
    hostName: hostname,
    addresses: () =>
      Object.entries(networkInterfaces()).flatMap(([interfaceName, entries]) =>
        (entries ?? []).map(({ family, address }) => ({ interfaceName, family: family as 'IPv4' | 'IPv6', address })),
      ),
    environment: process.env,
    now: () => new Date(),
  }
}

/** The part of a source that looks at files; `at` says where each really lies. */
export function filesAt(at: (path: string) => string): Pick<HostSource, 'read' | 'list' | 'kind' | 'link'> {
  return {
    read: path =>
      quietly(() => (path.endsWith('.gz') ? unpacked(readFileSync(at(path))) : readFileSync(at(path), 'utf8'))),
    list: path => quietly(() => readdirSync(at(path)).sort()),
    kind: path => quietly(() => kindOf(statSync(at(path)))) ?? quietly(() => kindOf(lstatSync(at(path)))),
    link: path => quietly(() => readlinkSync(at(path))),
  }
}

// Loaded when it is needed, which is seldom, and it has to be at once.
function unpacked(bytes: Buffer): string {
  const zlib: typeof import('node:zlib') = createRequire(import.meta.url)('node:zlib')
  return zlib.gunzipSync(bytes).toString()
}

function kindOf(stats: Stats): PathKind {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'folder'
  if (stats.isSocket()) return 'socket'
  return stats.isSymbolicLink() ? 'link' : 'other'
}

async function isBound(port: number): Promise<boolean> {
  const { createServer } = await import('node:net')
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', error => resolve((error as NodeJS.ErrnoException).code === 'EADDRINUSE'))
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(false)))
  })
}

async function leaveRuntime(): Promise<RuntimeAnswer> {
  return { fault: 'it was not asked' }
}

/** What `read` gives, undefined when it throws. */
export function quietly<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
