/**
 * Where facts of a host come from: this machine, or a recorded tree of another one. Whoever reads a host takes a
 * source, so that every verdict can be tried on every machine. Nothing here fails: what cannot be read is undefined.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats, statfsSync, statSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { type CommandResult, run, which } from '../command.ts'
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

export interface HostSource {
  /** `/` for the machine itself. Paths given to the functions below are those on the host, without it. */
  readonly root: string
  /** Text of a file; what ends in `.gz` comes unpacked. Undefined when it is not there or not ours to read. */
  readonly read: (path: string) => string | undefined
  /** Names in a folder, sorted. */
  readonly list: (path: string) => readonly string[] | undefined
  readonly kind: (path: string) => PathKind | undefined
  /** Where a symbolic link points to, as it stands there. */
  readonly link: (path: string) => string | undefined
  /** Space on the file system of a path that exists. */
  readonly space: (path: string) => DiskSpace | undefined
  /** Runs a command to its end (at most two seconds); undefined when there is no such command. */
  readonly run: (argv: readonly string[]) => Promise<CommandResult | undefined>
  readonly addresses: () => readonly InterfaceAddress[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** By the host's clock. */
  readonly now: () => Date
}

const COMMAND_TIMEOUT_MS = 2000

/** Belongs to the running kernel and its services, whatever folder the files of a cluster are kept below. */
const OF_THE_KERNEL = /^\/(proc|sys|dev|run\/systemd)(\/|$)/

/** This machine; with a `root`, its files are looked for below that folder. */
export function liveHost(root = '/'): HostSource {
  const at = (path: string): string => (OF_THE_KERNEL.test(path) ? path : below(root, path))
  return {
    root,
    ...filesAt(at),
    space: path => {
      const found = quietly(() => statfsSync(at(path)))
      return found && { bytes: found.blocks * found.bsize, freeBytes: found.bavail * found.bsize }
    },
    run: async argv =>
      which(argv[0] ?? '') === undefined ? undefined : await run(argv, { timeoutMs: COMMAND_TIMEOUT_MS }),
    addresses: () =>
      Object.entries(networkInterfaces()).flatMap(([interfaceName, entries]) =>
        (entries ?? []).map(({ family, address }) => ({ interfaceName, family: family as 'IPv4' | 'IPv6', address })),
      ),
    environment: process.env,
    now: () => new Date(),
  }
}

/** What a recorded tree keeps of a host beside its files; all of it may be left out. */
export interface RecordedValues {
  /** Paths of which only what they are is known: programs, sockets, empty folders. */
  readonly kinds?: Readonly<Record<string, PathKind>>
  readonly links?: Readonly<Record<string, string>>
  /** By the longest of these paths that holds the one asked for. */
  readonly space?: Readonly<Record<string, DiskSpace>>
  readonly addresses?: readonly InterfaceAddress[]
  readonly environment?: Readonly<Record<string, string>>
  /** RFC 3339. */
  readonly now?: string
}

/**
 * A recorded host: files below `<folder>/root` (`*.gz` as plain text), `<folder>/commands.json` (arguments joined by
 * blanks -> what the command gave; any other command does not exist there) and `<folder>/values.json`.
 */
export function recordedHost(folder: string): HostSource {
  const json = (name: string): unknown => JSON.parse(quietly(() => readFileSync(join(folder, name), 'utf8')) ?? '{}')
  const commands = json('commands.json') as Readonly<Record<string, CommandResult>>
  const {
    kinds = {},
    links = {},
    space = {},
    addresses = [],
    environment = {},
    now,
  } = json('values.json') as RecordedValues
  const root = join(folder, 'root')
  const files = filesAt(path => join(root, path))
  const known = Object.keys(kinds)
  return {
    root: '/',
    read: path => quietly(() => readFileSync(join(root, path), 'utf8')),
    list: path => {
      const inside = known.filter(other => other.startsWith(`${path}/`)).map(other => other.slice(path.length + 1))
      const names = [...(files.list(path) ?? []), ...inside.map(name => name.split('/')[0] ?? '')]
      const isFolder = files.kind(path) === 'folder' || kinds[path] === 'folder' || inside.length > 0
      return isFolder ? [...new Set(names)].sort() : undefined
    },
    kind: path =>
      kinds[path] ?? files.kind(path) ?? (known.some(other => other.startsWith(`${path}/`)) ? 'folder' : undefined),
    link: path => links[path],
    space: path =>
      Object.entries(space)
        .filter(([mount]) => path === mount || path.startsWith(mount === '/' ? '/' : `${mount}/`))
        .sort(([a], [b]) => b.length - a.length)[0]?.[1],
    run: async argv => commands[argv.join(' ')],
    addresses: () => addresses,
    environment,
    now: () => (now === undefined ? new Date() : new Date(now)),
  }
}

function filesAt(at: (path: string) => string): Pick<HostSource, 'read' | 'list' | 'kind' | 'link'> {
  return {
    read: path =>
      quietly(() =>
        path.endsWith('.gz') ? gunzipSync(readFileSync(at(path))).toString() : readFileSync(at(path), 'utf8'),
      ),
    list: path => quietly(() => readdirSync(at(path)).sort()),
    kind: path => quietly(() => kindOf(statSync(at(path)))) ?? quietly(() => kindOf(lstatSync(at(path)))),
    link: path => quietly(() => readlinkSync(at(path))),
  }
}

function kindOf(stats: Stats): PathKind {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'folder'
  if (stats.isSocket()) return 'socket'
  return stats.isSymbolicLink() ? 'link' : 'other'
}

function quietly<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
