/** Records what is read of a host, so that it can be read again anywhere: what test/recorded-host.ts opens. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { InterfaceAddress } from './addresses.ts'
import type { CommandResult, DiskSpace, HostSource, PathKind, RuntimeAnswer } from './host-source.ts'

/** What a recorded tree keeps of a host beside its files; all of it may be left out. */
export interface RecordedValues {
  /** Paths of which only what they are is known: programs, sockets, empty folders. */
  readonly kinds?: Readonly<Record<string, PathKind>>
  readonly links?: Readonly<Record<string, string>>
  /** By the longest of these paths that holds the one asked for. */
  readonly space?: Readonly<Record<string, DiskSpace>>
  readonly addresses?: readonly InterfaceAddress[]
  /** By socket; at any other one nothing answers. */
  readonly runtimes?: Readonly<Record<string, RuntimeAnswer>>
  readonly environment?: Readonly<Record<string, string>>
  /** RFC 3339. */
  readonly now?: string
}

export interface Recording {
  /** Text by path. */
  readonly files: Readonly<Record<string, string>>
  readonly commands: Readonly<Record<string, CommandResult>>
  readonly values: RecordedValues
}

/** Variables that a reading looks at; no other leaves the machine. */
const VARIABLES = /^(PATH|CI|GITHUB_ACTIONS|ImageOS|ImageVersion|RUNNER_(OS|ARCH|ENVIRONMENT)|.*_proxy)$/i

/** Other processes are nobody's business, and there are many. */
const PROCESSES = /^\/proc\/\d+\//

/** A source that gives what `source` gives and remembers it. */
export function recordingHost(source: HostSource): { source: HostSource; recording: () => Recording } {
  const files: Record<string, string> = {}
  const commands: Record<string, CommandResult> = {}
  const kinds: Record<string, PathKind> = {}
  const links: Record<string, string> = {}
  const space: Record<string, DiskSpace> = {}
  const runtimes: Record<string, RuntimeAnswer> = {}
  const keep = <T>(record: Record<string, T>, key: string, value: T | undefined): T | undefined => {
    if (value !== undefined && !PROCESSES.test(key)) record[key] = value
    return value
  }
  const recorded: HostSource = {
    ...source,
    read: path => keep(files, path, source.read(path)),
    list: path => {
      const names = source.list(path)
      // Their kinds are enough for a folder to be listed again.
      if (path !== '/proc')
        for (const name of names ?? []) keep(kinds, `${path}/${name}`, source.kind(`${path}/${name}`))
      if (names?.length === 0) keep(kinds, path, 'folder')
      return names
    },
    kind: path => keep(kinds, path, source.kind(path)),
    link: path => keep(links, path, source.link(path)),
    space: path => keep(space, path, source.space(path)),
    run: async argv => {
      const result = await source.run(argv)
      // What zx gives has no fields of its own to write down.
      const { exitCode = null, stdout = '', stderr = '' } = result ?? {}
      return keep(commands, argv.join(' '), result && { exitCode, stdout, stderr })
    },
    runtime: async socket => {
      const answer = await source.runtime(socket)
      runtimes[socket] = answer
      return answer
    },
  }
  const recording = (): Recording => ({
    files: { ...files, '/proc/sys/kernel/hostname': `${source.hostName()}\n` },
    commands,
    values: {
      kinds: Object.fromEntries(Object.entries(kinds).filter(([path]) => files[path] === undefined)),
      links,
      space,
      runtimes,
      addresses: source.addresses(),
      environment: Object.fromEntries(
        Object.entries(source.environment).flatMap(([name, value]) =>
          VARIABLES.test(name) && value !== undefined ? [[name, withoutPasswords(value)]] : [],
        ),
      ),
      now: source.now().toISOString(),
    },
  })
  return { source: recorded, recording }
}

/** Writes a recording into a folder. */
export function writeRecording(folder: string, { files, commands, values }: Recording): void {
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  put('commands.json', `${JSON.stringify(commands, null, 2)}\n`)
  put('values.json', `${JSON.stringify(values, null, 2)}\n`)
  for (const [path, text] of Object.entries(files)) put(`root${path}`, text)
}

function withoutPasswords(value: string): string {
  return value.replace(/\/\/[^/@]*@/g, '//')
}
