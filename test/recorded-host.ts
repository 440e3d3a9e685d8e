/** A host as it was recorded: the same verdicts as there, on any machine. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandResult, filesAt, type HostSource, quietly } from '../lib/machine/host/host-source.ts'
import type { RecordedValues } from '../lib/machine/host/recording.ts'

/**
 * A recorded host: files below `<folder>/root` (`*.gz` as plain text), `<folder>/commands.json` (arguments joined by
 * blanks -> what the command gave; any other command does not exist there) and `<folder>/values.json`.
 */
export function recordedHost(folder: string): HostSource {
  const json = (name: string): unknown => JSON.parse(quietly(() => readFileSync(join(folder, name), 'utf8')) ?? '{}')
  const commands = json('commands.json') as Readonly<Record<string, CommandResult>>
  const values = json('values.json') as RecordedValues
  const { kinds = {}, links = {}, space = {}, addresses = [], runtimes = {}, environment = {}, now } = values
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
    runtime: async socket => runtimes[socket] ?? { fault: 'nothing answers there' },
    isBound: async () => false,
    hostName: () => quietly(() => readFileSync(join(root, '/proc/sys/kernel/hostname'), 'utf8'))?.trim() ?? '',
    addresses: () => addresses,
    environment,
    now: () => (now === undefined ? new Date() : new Date(now)),
  }
}
